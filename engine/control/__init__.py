"""The control plane: what the pages and the shell call; the only code that touches storage."""
