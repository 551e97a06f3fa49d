"""From a due notification to one that has left, and what came of it."""
