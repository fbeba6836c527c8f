from datetime import timedelta

NAMES = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def next_weekday(day, name):
    """First date strictly after day that falls on the named weekday."""
    wanted = NAMES.index(name.lower())
    ahead = (wanted - day.weekday()) % 7
    return day + timedelta(days=ahead)
