"""Defects4J: its file `failing_tests`, in which `--- shop.CartTest::adds` stands before each exception."""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.failures import Failed
from engine.failures.java_tests import Test, tests_of

_TEST = re.compile(r"--- ([\w.$]{1,300})(?:::(\S{1,300}))?$")


def read(lines: Sequence[str]) -> list[Failed]:
    """The tests that failed; none where the log holds no such file."""
    return tests_of(lines, _begins, lambda line: line.startswith(("Running ant", "Failing tests:")))


def _begins(line: str) -> Test | None:
    found = _TEST.match(line)
    return (found[2] or found[1], found[1]) if found else None
