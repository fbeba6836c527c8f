import pytest
from ipv4_number import ipv4_number


def test_addresses():
    assert ipv4_number("0.0.0.0") == 0
    assert ipv4_number("192.168.1.10") == 3232235786
    assert ipv4_number(" 10.0.0.1 ") == 167772161


def test_highest_address():
    assert ipv4_number("255.255.255.255") == 2**32 - 1


def test_part_too_large():
    with pytest.raises(ValueError):
        ipv4_number("10.0.256.1")
    with pytest.raises(ValueError):
        ipv4_number("1000.0.0.1")


def test_number_of_parts():
    with pytest.raises(ValueError):
        ipv4_number("10.0.1")


def test_parts_are_digits():
    for text in ("10.0..1", "10.0.-1.1", "a.b.c.d"):
        with pytest.raises(ValueError):
            ipv4_number(text)
