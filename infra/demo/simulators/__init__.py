"""Stand-ins for the outside systems: an office's website, and KING's billing."""
