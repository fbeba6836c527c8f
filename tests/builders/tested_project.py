"""Small projects with tests of their own, in Python and in Java."""

from __future__ import annotations

from pathlib import Path

PRICES = '''"""Prices of a shop."""

from shop.rounding import to_cents


def total(prices, discount=0):
    """What a customer pays."""
    found = 0
    for price in prices:
        if price < 0:
            raise ValueError(price)
        found += to_cents(price)
    return found - discount


class Basket:
    def __init__(self):
        self.held = []

    def add(self, price, number=1):
        self.held += [price] * number
        return len(self.held)


def never_called(price):
    price += 1
    return price
'''
ROUNDING = "def to_cents(price):\n    cents = int(price * 100)\n    return cents\n"
TESTS = """import sys

import pytest

from shop.prices import Basket, total


@pytest.mark.parametrize(("prices", "cents"), [([], 0), ([1, 2], 300), ([5], 500)])
def test_total(prices, cents):
    assert total(prices) == cents


def test_discount():
    assert total([2], discount=50) == 150


def test_no_price_is_negative(negative):
    with pytest.raises(ValueError):
        total([negative])


class TestBasket:
    def test_one(self):
        assert Basket().add(3) == 1

    def test_two(self):
        basket = Basket()
        basket.add(3, 2)
        assert basket.held == [3, 3]


def test_that_fails():
    assert total([1]) == 1


def test_that_passes_only_sometimes():
    assert sys.gettrace() is None
"""
CONFTEST = "import pytest\n\n\n@pytest.fixture\ndef negative():\n    return -1\n"
USABLE = {
    "tests/test_prices.py::test_total[prices0-0]",
    "tests/test_prices.py::test_total[prices1-300]",
    "tests/test_prices.py::test_total[prices2-500]",
    "tests/test_prices.py::test_discount",
    "tests/test_prices.py::test_no_price_is_negative",
    "tests/test_prices.py::TestBasket::test_one",
    "tests/test_prices.py::TestBasket::test_two",
}

BOX = """package shop;

import java.util.ArrayList;
import java.util.List;

public class Box {
    private final List<Integer> held = new ArrayList<>();
    private final int limit;

    public Box(int limit) {
        super();
        this.limit = limit;
    }

    public boolean add(int amount) {
        if (Sums.of(held) + amount > limit) {
            return false;
        }
        return held.add(amount);
    }
}
"""
SUMS = """package shop;

import java.util.List;

final class Sums {
    static int of(List<Integer> numbers) {
        int sum = 0;
        for (int i = 0; i < numbers.size(); i++) {
            sum += numbers.get(i);
        }
        return sum;
    }
}
"""
BOX_TEST = """package shop;

import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import org.junit.Test;

public class BoxTest {
    @Test
    public void takesAsMuchAsFits() {
        Box box = new Box(10);
        assertTrue(box.add(4));
        assertTrue(box.add(6));
        assertFalse(box.add(1));
    }

    @Test
    public void canBeMade() {
        new Box(3);
    }

    @Test
    public void takesNothingTooLarge() {
        assertFalse(new Box(3).add(4));
    }
}
"""


def write(folder: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def python_project(folder: Path) -> Path:
    """A package in `src` with tests, one of which fails and one of which passes when it is not watched."""
    files = {
        "src/shop/__init__.py": "",
        "src/shop/prices.py": PRICES,
        "src/shop/rounding.py": ROUNDING,
        "tests/test_prices.py": TESTS,
        "tests/conftest.py": CONFTEST,
        ".git/config": "not copied",
    }
    return write(folder, files)


def java_project(folder: Path) -> Path:
    return write(
        folder,
        {
            "src/main/java/shop/Box.java": BOX,
            "src/main/java/shop/Sums.java": SUMS,
            "src/test/java/shop/BoxTest.java": BOX_TEST,
        },
    )
