import pytest
from variance import sample_variance


def test_spread_values():
    assert sample_variance([2, 4, 6]) == 4.0


def test_two_values():
    assert sample_variance([1, 4]) == 4.5


def test_equal_values():
    assert sample_variance([3, 3, 3]) == 0.0


def test_negative_values():
    assert sample_variance([-1, 1, -1, 1]) == pytest.approx(4 / 3)


def test_one_value_is_not_enough():
    with pytest.raises(ValueError):
        sample_variance([1])
