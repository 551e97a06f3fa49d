"""The schema history of the tables that every service has: inbox, outbox, notifications."""
