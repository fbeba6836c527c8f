"""Declared settings as widgets, and the widgets' values as a validated spec."""
