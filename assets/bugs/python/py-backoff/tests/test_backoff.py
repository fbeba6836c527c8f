import pytest
from backoff import backoff_delays


def test_delays_grow():
    assert backoff_delays(4) == [0.5, 1.0, 2.0, 4.0]


def test_delays_are_capped():
    assert backoff_delays(5, base=1, factor=3, cap=10) == [1, 3, 9, 10, 10]


def test_cap_below_base():
    assert backoff_delays(2, base=5, factor=1, cap=2) == [2, 2]


def test_no_attempts():
    assert backoff_delays(0) == []


def test_negative_attempts():
    with pytest.raises(ValueError):
        backoff_delays(-1)
