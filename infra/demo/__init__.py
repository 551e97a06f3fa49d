"""Example customers through all seven steps, with stand-ins for the outside systems."""
