"""One message's life inside a service: inbox, handler, outbox in one transaction (`dispatch`)."""
