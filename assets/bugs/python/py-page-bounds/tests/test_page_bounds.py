import pytest
from page_bounds import page_bounds


def test_first_page():
    assert page_bounds(95, 10, 1) == (0, 10)


def test_middle_page():
    assert page_bounds(95, 10, 4) == (30, 40)


def test_last_page_is_short():
    assert page_bounds(95, 10, 10) == (90, 95)


def test_page_past_the_end_is_empty():
    assert page_bounds(95, 10, 12) == (95, 95)
    assert page_bounds(0, 10, 1) == (0, 0)


def test_page_numbers_start_at_one():
    with pytest.raises(ValueError):
        page_bounds(95, 10, 0)
