from drawdown import max_drawdown


def test_falling_prices():
    assert max_drawdown([100, 80, 50]) == 0.5


def test_fall_after_a_rise():
    assert max_drawdown([50, 100, 75]) == 0.25


def test_largest_of_two_falls():
    assert max_drawdown([100, 90, 200, 100, 150]) == 0.5


def test_rising_prices():
    assert max_drawdown([1, 2, 3]) == 0.0


def test_no_prices():
    assert max_drawdown([]) == 0.0
