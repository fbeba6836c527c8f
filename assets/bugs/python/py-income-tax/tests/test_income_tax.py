from income_tax import income_tax

BRACKETS = [(0, 1000, 0.0), (1000, 5000, 0.2), (5000, None, 0.4)]


def test_below_the_allowance():
    assert income_tax(800, BRACKETS) == 0.0


def test_inside_a_bracket():
    assert income_tax(2000, BRACKETS) == 200.0


def test_at_a_bound():
    assert income_tax(1000, BRACKETS) == 0.0
    assert income_tax(5000, BRACKETS) == 800.0


def test_in_the_open_bracket():
    assert income_tax(6000, BRACKETS) == 1200.0


def test_income_ends_the_first_bracket():
    assert income_tax(50, [(0, 100, 0.1), (100, None, 0.3)]) == 5.0
