"""The same as the pages, from a shell."""
