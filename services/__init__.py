"""The four steps of the house; each is a service that owns its data and speaks only by events."""
