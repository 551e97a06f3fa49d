"""HTTP as every service speaks it."""
