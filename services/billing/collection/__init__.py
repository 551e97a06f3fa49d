"""VRIJGEVEN: asking KING to collect, booking what became of it, releasing the customer."""
