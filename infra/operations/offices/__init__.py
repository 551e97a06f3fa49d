"""The offices, from the command line."""
