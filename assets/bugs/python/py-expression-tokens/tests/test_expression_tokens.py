import pytest
from expression_tokens import tokens_of


def test_numbers_and_operators():
    assert tokens_of("12+3*(40-5)") == ["12", "+", "3", "*", "(", "40", "-", "5", ")"]


def test_empty():
    assert tokens_of("") == []


def test_unknown_character():
    with pytest.raises(ValueError):
        tokens_of("1$2")


def test_spaces_separate():
    assert tokens_of(" 1 2  + 34 ") == ["1", "2", "+", "34"]
