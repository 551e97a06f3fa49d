"""Dead letters for people: what failed for good, and what is decided about it."""
