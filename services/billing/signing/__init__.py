"""The payer's own ways to return the confirmation: say it was posted, send a scan, sign online."""
