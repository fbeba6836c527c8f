from stock_check import can_fulfil


def test_enough_of_everything():
    assert can_fulfil({"bolt": 10, "nut": 5}, {"bolt": 10, "nut": 9}) is True


def test_one_item_short():
    assert can_fulfil({"bolt": 10, "nut": 5}, {"bolt": 20, "nut": 4}) is False


def test_unknown_item():
    assert can_fulfil({"gear": 1}, {"bolt": 3}) is False


def test_reserved_items_do_not_count():
    assert can_fulfil({"bolt": 3}, {"bolt": 5}, {"bolt": 3}) is False
    assert can_fulfil({"bolt": 2}, {"bolt": 5}, {"bolt": 3}) is True


def test_empty_order():
    assert can_fulfil({}, {}) is True
