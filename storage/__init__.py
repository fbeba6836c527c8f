"""SQLModel on SQLite: the tables, opening the database, and the queries."""
