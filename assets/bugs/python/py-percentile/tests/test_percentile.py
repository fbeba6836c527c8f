import pytest
from percentile import percentile


def test_median_of_odd_count():
    assert percentile([30, 10, 20], 50) == 20


def test_median_of_even_count():
    assert percentile([4, 1, 3, 2], 50) == 2.5


def test_quarter():
    assert percentile([0, 10], 25) == 2.5


def test_ends():
    assert percentile([5, 1, 9], 0) == 1
    assert percentile([5, 1, 9], 100) == 9


def test_single_value():
    assert percentile([42], 70) == pytest.approx(42)


def test_no_values():
    with pytest.raises(ValueError):
        percentile([], 50)
