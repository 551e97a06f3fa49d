"""How the last message with credentials stands."""

SENDING = "sending"
SENT = "sent"
UNDELIVERABLE = "undeliverable"
