"""What the engine keeps in the service's own database."""
