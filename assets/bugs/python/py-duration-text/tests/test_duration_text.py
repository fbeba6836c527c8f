import pytest
from duration_text import parse_duration


def test_single_unit():
    assert parse_duration("90s") == 90
    assert parse_duration("2d") == 172800


def test_several_units():
    assert parse_duration("1h 30m") == 5400
    assert parse_duration("1h2m3s") == 3723


def test_empty_text():
    assert parse_duration("") == 0


def test_number_without_unit():
    with pytest.raises(ValueError):
        parse_duration("1h30")


def test_unit_without_number():
    with pytest.raises(ValueError):
        parse_duration("h")
    with pytest.raises(ValueError):
        parse_duration("1hm")
