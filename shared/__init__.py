"""What every service stands on: events, the bus, processing, notifications. Knows no service."""
