from datetime import date

import pytest
from next_weekday import next_weekday


def test_later_in_the_week():
    assert next_weekday(date(2024, 4, 2), "Friday") == date(2024, 4, 5)


def test_earlier_in_the_week():
    assert next_weekday(date(2024, 4, 5), "monday") == date(2024, 4, 8)


def test_same_weekday():
    assert next_weekday(date(2024, 4, 1), "monday") == date(2024, 4, 8)
    assert next_weekday(date(2024, 2, 29), "thursday") == date(2024, 3, 7)


def test_tomorrow():
    assert next_weekday(date(2023, 12, 31), "monday") == date(2024, 1, 1)


def test_unknown_name():
    with pytest.raises(ValueError):
        next_weekday(date(2024, 4, 1), "someday")
