"""Every registered builder keeps the contract, on a small source of its own."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from engine.builders import Funnel
from engine.builders.contract import check
from engine.domain import Bug, Span
from engine.plugins import BUILDERS

PAIR = {"buggy_function": "def f(a):\n    return a\n", "fixed_function": "def f(a):\n    a += 1\n    return a\n"}
CODE = "def f(a, b):\n    if a < b:\n        return a\n    return b\n"


@pytest.fixture
def settings(tmp_path):
    """A small source for each builder that cannot do without one."""
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps({**PAIR, "n": n}) + "\n" for n in range(20)) + "broken\n")
    (tmp_path / "code.py").write_text(CODE)
    return {
        "faults": {"folder": str(tmp_path), "samples": 30},
        "columns": {"file": str(tmp_path / "pairs.jsonl")},
    }


@pytest.mark.parametrize("name", BUILDERS.names())
def test_the_contract_holds(name, settings):
    check(BUILDERS.create(BUILDERS.params({"name": name, **settings.get(name, {})})))


GOOD = Bug("a", "python", "a.py", "x\n", "y\n", Span(1, 1))


class Broken:
    """A builder that breaks one promise."""

    name = "broken"

    def __init__(self, *bugs: Bug, total: int | None = None, changes: bool = False, counts: bool = False) -> None:
        self._bugs, self._total, self._changes, self._counts = list(bugs), total, changes, counts

    def bugs(self, seed: int, funnel: Funnel):
        if self._counts:
            funnel.source = len(self._bugs)
        yield from list(self._bugs)
        if self._changes:
            self._bugs.reverse()

    def total(self) -> int | None:
        return self._total


def test_the_contract_has_nothing_against_the_others():
    check(Broken(GOOD, total=1, counts=True))


@pytest.mark.parametrize(
    ("bugs", "said"),
    [
        ((), "makes no bug"),
        ((Bug("a", "python", "a.py", "x\n", "x\n", Span(1, 1)),), "are the same"),
        ((Bug("a", "python", "a.py", "x\n", "y\n", Span(1, 3)),), "outside its 1 lines"),
        ((Bug("a", "python", "a.py", "x\n", "y\n", Span(1, 1)),) * 2, "repeats an id"),
        ((Bug("a", "python", "a.py", "x\ny\n", "xy\n", Span(1, 1)),), "ends within a line"),
        ((Bug("a", "python", "a.py", "x\ny\n", "z\nw\n", Span(1, 1)),), "changes lines outside"),
        ((Bug("a", "python", "a.py", "x\n", "'\ud800'\n", Span(1, 1)),), "cannot be written as UTF-8"),
        ((Bug("a", "python", "a.py", "x\n", "y\n", Span(1, 1)),), "0 read, 0 lost, 1 made"),
    ],
)
def test_the_contract_notices(bugs, said):
    with pytest.raises(AssertionError, match=said):
        check(Broken(*bugs))


def test_the_contract_notices_what_changes_and_what_does_not_add_up():
    with pytest.raises(AssertionError, match="same seed, other bugs"):
        check(Broken(GOOD, replace(GOOD, id="b"), changes=True, counts=True))
    with pytest.raises(AssertionError, match="2 bugs of at most 1"):
        check(Broken(GOOD, replace(GOOD, id="b"), total=1, counts=True))
