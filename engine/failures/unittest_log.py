"""unittest: `FAIL: test_counts (cart_test.CartTest.test_counts)`, then the traceback."""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.failures import Failed
from engine.failures.python_traces import failed

MOST_FAILED, MOST_LINES = 40, 300
_TEST = re.compile(r"(?:FAIL|ERROR): ([^\s(]{1,300}) \(([\w.]{1,300})\)")


def read(lines: Sequence[str]) -> list[Failed]:
    """The tests that failed; none where unittest did not write this log."""
    found: list[Failed] = []
    test: tuple[str, str] | None = None
    body: list[str] = []
    for line in [*lines, "=" * 70]:
        if line.startswith("=" * 20) or line.startswith("Ran "):
            if test:
                found.append(failed(*test, body))
            test, body = None, []
        elif begun := _TEST.match(line):
            test, body = (begun[1], begun[2].removesuffix(f".{begun[1]}")), []
        elif test and len(body) < MOST_LINES and not line.startswith("-" * 20):
            body.append(line)
        if len(found) == MOST_FAILED:
            break
    return found
