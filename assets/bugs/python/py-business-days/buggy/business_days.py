from datetime import timedelta


def business_days(first, last, holidays=()):
    """Count working days from first to last, both included."""
    days = 0
    day = first
    while day <= last:
        if day.weekday() <= 5 and day not in holidays:
            days += 1
        day += timedelta(days=1)
    return days
