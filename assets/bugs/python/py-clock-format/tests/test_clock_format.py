from clock_format import format_clock


def test_below_a_minute():
    assert format_clock(0) == "0:00"
    assert format_clock(7) == "0:07"


def test_minutes():
    assert format_clock(185) == "3:05"


def test_many_minutes():
    assert format_clock(45 * 60 + 10) == "45:10"
    assert format_clock(3599) == "59:59"


def test_hours():
    assert format_clock(3600) == "1:00:00"
    assert format_clock(2 * 3600 + 34 * 60 + 56) == "2:34:56"


def test_negative():
    assert format_clock(-65) == "-1:05"
