from datetime import date

from business_days import business_days


def test_one_working_week():
    assert business_days(date(2024, 4, 1), date(2024, 4, 5)) == 5


def test_weekend_has_none():
    assert business_days(date(2024, 4, 6), date(2024, 4, 7)) == 0


def test_two_weeks():
    assert business_days(date(2024, 4, 1), date(2024, 4, 14)) == 10


def test_holiday_is_skipped():
    assert business_days(date(2024, 5, 1), date(2024, 5, 3), {date(2024, 5, 1)}) == 2


def test_friday_counts():
    assert business_days(date(2024, 4, 5), date(2024, 4, 5)) == 1


def test_reversed_range():
    assert business_days(date(2024, 4, 5), date(2024, 4, 1)) == 0
