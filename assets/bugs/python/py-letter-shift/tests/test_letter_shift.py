from letter_shift import shift_letters


def test_small_shift():
    assert shift_letters("abc", 2) == "cde"


def test_wraps_at_the_end():
    assert shift_letters("xyz", 3) == "abc"
    assert shift_letters("Z", 1) == "A"


def test_last_letter_can_be_reached():
    assert shift_letters("a", 25) == "z"


def test_other_characters_stay():
    assert shift_letters("1, 2!", 7) == "1, 2!"


def test_shift_back_restores_the_text():
    text = "Pack my box, with Zebras"
    assert shift_letters(shift_letters(text, 9), -9) == text
