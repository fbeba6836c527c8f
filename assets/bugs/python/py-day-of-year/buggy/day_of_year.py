MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]


def is_leap(year):
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def day_of_year(year, month, day):
    """Number of the day in its year, 1 for the first of January."""
    if not 1 <= month <= 12:
        raise ValueError(f"no such month: {month}")
    days = sum(MONTH_DAYS[:month]) + day
    if month > 2 and is_leap(year):
        days += 1
    return days
