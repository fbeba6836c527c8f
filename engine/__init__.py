"""Repair Studio without the browser: everything the studio can do, headless."""
