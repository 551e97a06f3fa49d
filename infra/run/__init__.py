"""A process at work: the services that it runs, its HTTP server, its orderly end."""
