"""pytest's section FAILURES in its styles short, long and native, and else the lines of its summary."""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.failures import Failed
from engine.failures.python_traces import failed

MOST_FAILED, MOST_LINES = 40, 300
_SECTIONS = ("FAILURES", "ERRORS")
_SUMMARY = re.compile(r"(?:FAILED|ERROR) (\S{1,300})(?: - (.*))?$")
_WORDS = re.compile(r"ERROR (?:at (?:setup|teardown) of|collecting) ")


def read(lines: Sequence[str]) -> list[Failed]:
    """The tests that failed; none where pytest did not write this log."""
    shown = _sections(lines)
    names = {each.test for each in shown}
    return [*shown, *(each for each in _summary(lines) if each.test not in names)]  # the middle of a log may be cut out


def _sections(lines: Sequence[str]) -> list[Failed]:
    found: list[Failed] = []
    name, body, is_inside = "", list[str](), False
    for line in [*lines, "== end =="]:
        ruled = _ruled(line, "=")
        title = _ruled(line, "_") if is_inside else None
        if (ruled is not None or title is not None) and name:
            found.append(_failed(name, body))
            name = ""
        if ruled is not None:
            is_inside = ruled in _SECTIONS
        elif title is not None:
            name, body = title, []
        elif name and len(body) < MOST_LINES:
            body.append(line)
        if len(found) == MOST_FAILED:
            break
    return found


def _ruled(line: str, mark: str) -> str | None:
    """The title in a line that is ruled with `mark` on both sides; None for any other line."""
    if not (line.startswith(mark * 2) and line.endswith(mark * 2)):
        return None
    return line.strip(mark).strip() or None


def _failed(name: str, body: Sequence[str]) -> Failed:
    test = _WORDS.sub("", name)
    owner, _, function = test.partition("[")[0].rpartition(".")
    is_file = test.endswith(".py")
    return failed(test if is_file else function + test[len(test.partition("[")[0]) :], "" if is_file else owner, body)


def _summary(lines: Sequence[str]) -> list[Failed]:
    """`FAILED test_cart.py::test_counts - assert 2 == 1`, where pytest shows nothing else or it was cut off."""
    found = []
    for line in lines:
        if summed := _SUMMARY.match(line):
            path, _, test = summed[1].partition("::")
            owner, _, function = test.rpartition("::")
            body = [f"E   {summed[2]}"] if summed[2] else []
            found.append(failed(function or path, owner or (path if function else ""), body))
    return found[:MOST_FAILED]
