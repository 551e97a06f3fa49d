"""Published events, sent again to one service."""
