"""SQLModel on SQLite: the tables, the way they are opened, and the questions asked of them."""
