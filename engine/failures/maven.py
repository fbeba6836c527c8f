"""Maven's Surefire: tests as it writes them while they run.

Up to version 2 `[ERROR] adds(shop.CartTest)  Time elapsed: 0 s  <<< FAILURE!`, with JUnit 5 `[ERROR] adds  Time
elapsed: ...`, from version 3 `[ERROR] shop.CartTest.adds -- Time elapsed: 0.01 s <<< FAILURE!`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.failures import Failed
from engine.failures.java_tests import Test, tests_of

_TEST = re.compile(
    r"(?:\[ERROR\] +)?(?:([^()\s]{1,200})\(([\w.$]{1,300})\)|([\w.$]{1,300}\.)?([^\s.][^\s]{0,200}))"
    r"(?:\{[^}]{0,200}\}(?:\[\d+\])?)?(?: --|  ?) ?Time elapsed: [^<]{1,40}<<< (?:FAILURE|ERROR)!$"
)


def read(lines: Sequence[str]) -> list[Failed]:
    """The tests that failed; none where Surefire did not write this log."""
    return tests_of(lines, _begins, lambda line: line.startswith(("[INFO]", "[ERROR]", "[WARNING]", "Results")))


def _begins(line: str) -> Test | None:
    if "Time elapsed: " not in line:
        return None
    found = _TEST.match(line)
    if found is None or line.startswith(("Tests run", "[ERROR] Tests run")):
        return None
    return (found[1] or found[4], found[2] or (found[3] or "").rstrip("."))
