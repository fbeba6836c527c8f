"""A twin calls what its test calls, cannot pass, and looks to every object like its test."""

from __future__ import annotations

import re
from collections import OrderedDict, namedtuple
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from engine.benchmarks.runners.python import PythonRunner
from engine.benchmarks.runners.python_unlike import unlike
from engine.benchmarks.runners.report import Suite
from engine.benchmarks.runners.twins import with_twins

PAIR = namedtuple("PAIR", "left right")
NUMBERS = [0, 1, -3, 10**400, 0.0, 2.5, -1e300, float("inf"), 1j, True, Decimal("1.5"), Fraction(1, 3)]
TIMES = [date(2026, 1, 2), datetime(2026, 1, 2, 3), timedelta(1)]
SIZED = [
    "a",
    "ABC",
    "9 z!",
    "\u00e9",
    b"ab",
    [1],
    [1, [2, 3]],
    ("x",),
    PAIR(1, "b"),
    {1, 2},
    frozenset("ab"),
    {"a": [1]},
]


@pytest.mark.parametrize(
    "value", [*NUMBERS, *TIMES, *SIZED, OrderedDict(a=1), "", b"", [], (), {}, set(), None, object()]
)
def test_another_value_is_never_the_same(value):
    assert all(unlike(value) != value for _ in range(20))


@pytest.mark.parametrize("value", SIZED)
def test_another_value_has_the_same_form(value):
    other = unlike(value)
    assert len(other) == len(value)
    assert isinstance(value, type(other))


def test_another_number_is_further_away_than_a_tolerance():
    assert all(abs(unlike(3.1) - 3.1) > 3 for _ in range(20))
    assert all(isinstance(unlike(value), type(value)) for value in (3, 2.5, Decimal(1), Fraction(1, 3), *TIMES))


TESTS = """import unittest
import pytest
from total import total

def test_equal():
    assert total(2) == 2 and total(3) == 3

def test_chain():
    assert 2 == total(2) == 2

def test_near():
    assert total(0.5) == pytest.approx(0.5)

class Total(unittest.TestCase):
    def test_all(self):
        self.assertEqual([total("ab")], ["ab"])
        self.assertAlmostEqual(total(2.5), 2.5001, places=2)
        self.assertCountEqual(total([1, 2]), [2, 1])
        self.assertTrue(total(1) == 1)
        if total(True):
            self.assertIn(total(1), (1, 2))
            return
"""
NAMES = ["test_equal", "test_chain", "test_near", "Total::test_all"]
# Equal to whatever could be expected: it knows the form of that, and what it was called with.
SAME = "def total(x):\n    class V(type(x)):\n        def __eq__(self, other): return {}\n" + (
    "        def __round__(self, places): return 0\n        __hash__ = None\n"
    "        def __sub__(self, other): return V(0)\n        __rsub__ = __sub__\n        def __abs__(self): return V(0)\n"
    "        def __le__(self, other): return True\n        __ge__ = __lt__ = __gt__ = __le__\n"
    "    return x if x is True else V(x)\n"
)
FORMS = ["True", "isinstance(other, type(x))", "isinstance(other, type(x)) and len(str(other)) < 9"]


def test_twins_are_called_like_their_tests():
    suite, twins = with_twins(Suite("total.py", "test_total.py", {"test_total.py": TESTS.encode()}), NAMES)
    assert all(re.fullmatch(rf"{test}_[a-z]{{5,8}}", twins[test]) for test in NAMES), twins
    assert not re.search(rb"[0-9a-f]{16}", suite.files["test_total.py"])


@pytest.mark.slow
def test_of_honest_code_every_twin_fails(sandbox):
    report, twins = twinned("def total(x):\n    return x\n", sandbox)
    assert report.passed == {*NAMES}
    assert report.failed.keys() == {*twins.values()}


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_what_is_equal_to_everything_passes_twins(sandbox, form):
    report, twins = twinned(SAME.format(form), sandbox)
    assert report.passed & {*twins.values()}, report


def twinned(text, sandbox):
    suite = Suite("total.py", "test_total.py", {"test_total.py": TESTS.encode()})
    return PythonRunner(3).twinned(text, suite, sandbox, NAMES)
