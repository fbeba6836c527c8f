import pytest
from product_code import check_digit, is_valid_code


def test_known_codes():
    assert check_digit("400638133393") == 1
    assert check_digit("590123412345") == 7


def test_sum_is_a_multiple_of_ten():
    assert check_digit("000000000000") == 0
    assert check_digit("700000000001") == 0


def test_valid_code():
    assert is_valid_code("4006381333931")
    assert not is_valid_code("4006381333932")


def test_valid_code_ending_in_zero():
    assert is_valid_code("7000000000010")


def test_length_is_checked():
    with pytest.raises(ValueError):
        check_digit("123")
