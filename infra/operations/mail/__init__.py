"""The mails and texts, to look at: `stappenplan mail preview`."""
