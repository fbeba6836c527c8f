"""Ant's `junit` task with its plain formatter: `Testcase: adds took 0.003 sec`, `FAILED`, message, exception."""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.failures import Failed
from engine.failures.java_tests import Test, tests_of
from engine.failures.java_traces import is_thrown

_MARGIN = re.compile(r"\s*\[junit\d?\] ?")
_TEST = re.compile(r"Testcase: ([^\s()]{1,300})(?:\(([\w.$]{1,300})\))?:? took ")
_FAILED = ("FAILED", "Caused an ERROR")


def read(lines: Sequence[str]) -> list[Failed]:
    """The tests that failed; none where Ant did not write this log."""
    if not any("Testcase: " in line for line in lines):
        return []
    return tests_of(_without_messages(lines), _begins, lambda line: line.startswith(("Testcase: ", "Testsuite: ")))


def _without_messages(lines: Sequence[str]) -> list[str]:
    """The lines without their margin, those of tests that passed, and messages that an exception after them repeats."""
    kept: list[str] = []
    test, is_message = "", False
    for line in (_MARGIN.sub("", each, count=1) for each in lines):
        if line.startswith("Testcase: "):
            test, is_message = line, False
        elif line.strip() in _FAILED and test:
            kept.append(test)
            test, is_message = "", True
        elif not is_message or is_thrown(line):
            is_message = False
            kept.append(line)
    return kept


def _begins(line: str) -> Test | None:
    found = _TEST.match(line)
    return (found[1], found[2] or "") if found else None
