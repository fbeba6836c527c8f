import pytest
from histogram import histogram


def test_inner_values():
    assert histogram([0, 1, 2.5, 6, 7.5], 0, 10, 4) == [2, 1, 1, 1]


def test_upper_end_belongs_to_the_last_bin():
    assert histogram([10, 10, 0], 0, 10, 5) == [1, 0, 0, 0, 2]


def test_last_bin_is_not_swallowed():
    assert histogram([7, 9, 10], 0, 10, 5) == [0, 0, 0, 1, 2]


def test_outside_values_are_ignored():
    assert histogram([-1, 11, 3], 0, 10, 2) == [1, 0]


def test_range_away_from_zero():
    assert histogram([20, 24, 29, 30], 20, 30, 2) == [2, 2]


def test_empty_range():
    with pytest.raises(ValueError):
        histogram([1], 5, 5, 3)
