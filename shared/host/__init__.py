"""A service at work: its settings, its parts put together, its threads, what it tells of itself."""
