import pytest
from moving_average import moving_average


def test_windows_of_two():
    assert moving_average([1, 3, 5, 7], 2) == [2.0, 4.0, 6.0]


def test_window_as_long_as_the_series():
    assert moving_average([2, 4, 6], 3) == [4.0]


def test_window_of_one_is_the_series():
    assert moving_average([5, 8], 1) == [5.0, 8.0]


def test_short_series_has_no_window():
    assert moving_average([1, 2], 4) == []


def test_size_must_be_positive():
    with pytest.raises(ValueError):
        moving_average([1], 0)
