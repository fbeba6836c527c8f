import pytest
from day_of_year import day_of_year, is_leap


def test_first_day():
    assert day_of_year(2023, 1, 1) == 1


def test_last_day():
    assert day_of_year(2023, 12, 31) == 365
    assert day_of_year(2024, 12, 31) == 366


def test_around_the_leap_day():
    assert day_of_year(2024, 2, 29) == 60
    assert day_of_year(2024, 3, 1) == 61
    assert day_of_year(2023, 3, 1) == 60


def test_century_rule():
    assert is_leap(2000)
    assert not is_leap(1900)


def test_month_is_checked():
    with pytest.raises(ValueError):
        day_of_year(2023, 13, 1)
    with pytest.raises(ValueError):
        day_of_year(2023, 0, 1)
