"""Values as escaped HTML."""
