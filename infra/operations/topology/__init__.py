"""Exchanges, queues, users and permissions, shown and applied."""
