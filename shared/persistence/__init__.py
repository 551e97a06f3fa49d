"""One service's own database: PostgreSQL or SQLite, its tables and its schema history."""
