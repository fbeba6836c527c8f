import pytest
from cart_total import cart_total


def test_empty_cart():
    assert cart_total([]) == 0.0


def test_without_discounts():
    assert cart_total([("pen", 1.5, 4), ("pad", 3.0, 1)]) == 9.0


def test_discounted_item():
    assert cart_total([("pen", 2.0, 10)], {"pen": 25}) == 15.0


def test_only_the_named_item_is_discounted():
    items = [("pen", 2.0, 5), ("pad", 4.0, 2)]
    assert cart_total(items, {"pad": 50}) == 14.0
    assert cart_total(items, {"pad": 100}) == 10.0


def test_negative_quantity():
    with pytest.raises(ValueError):
        cart_total([("pen", 1.0, -1)])
