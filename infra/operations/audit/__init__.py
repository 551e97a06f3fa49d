"""The books of all services, closed while they run: what was said, beside what was heard."""
