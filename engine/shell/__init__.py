"""The shell commands, which do the same as the pages."""
