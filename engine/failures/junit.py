"""JUnit 4's console, JUnit 5's console launcher, and our own runner of JUnit's tests.

JUnit 4 writes `1) adds(shop.CartTest)` and then the exception, JUnit 5 a line `=> ` with the exception after one that
names the method, and our `Reporter.java` writes `adds: java.lang.AssertionError: expected:<1> but was:<2>`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from engine.failures import Failed
from engine.failures.java_tests import Test, tests_of
from engine.failures.java_traces import is_thrown

_JUNIT4 = re.compile(r"\d{1,6}\) ([^()]{1,300})\(([\w.$]{1,300})\)$")
_JUNIT5 = re.compile(r"\s+\w+Source \[className = '([\w.$]{1,300})', methodName = '([\w$]{1,300})'")
_OURS = re.compile(r"(\w+(?:\[[^\]]{0,200}\])?): ([\w.$]+(?::.*)?)$")


def read(lines: Sequence[str]) -> list[Failed]:
    """The tests that failed; none where JUnit did not write this log."""
    return _console4(lines) or _console5(lines) or _ours(lines)


def _console4(lines: Sequence[str]) -> list[Failed]:
    return tests_of(lines, _begins4, lambda line: line in ("FAILURES!!!", "OK"))


def _begins4(line: str) -> Test | None:
    found = _JUNIT4.match(line)
    return (found[1], found[2]) if found else None


def _console5(lines: Sequence[str]) -> list[Failed]:
    return tests_of([line.replace("=> ", "", 1) for line in lines], _begins5, lambda line: line.startswith("Test run"))


def _begins5(line: str) -> Test | None:
    found = _JUNIT5.match(line)
    return (found[2], found[1]) if found else None


def _ours(lines: Sequence[str]) -> list[Failed]:
    """Each line that names a test and an exception becomes two, as the other tools write them."""
    apart: list[str] = []
    for line in lines:
        found = _OURS.match(line)
        apart += [f"1) {found[1]}(_)", found[2]] if found and is_thrown(found[2]) else [line]
    return [replace(each, owner="") for each in _console4(apart)]
