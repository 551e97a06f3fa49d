"""The tests; tests/servers starts the real servers that some of them need."""
