"""`stappenplan staff`: one-time links by which staff sign in."""
