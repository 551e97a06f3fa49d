"""Mails and text messages: written with their reason, rendered and sent afterwards."""
