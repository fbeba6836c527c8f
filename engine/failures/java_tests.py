"""Reads tests that failed out of the log of any Java tool, each of which has its own line for a test."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.failures import Failed
from engine.failures.java_traces import failed

MOST_FAILED, MOST_LINES = 40, 150  # tests that are read, and lines of each
Test = tuple[str, str]  # its name, and its class with the package


def tests_of(lines: Sequence[str], begins: Callable[[str], Test | None], ends: Callable[[str], bool]) -> list[Failed]:
    """The tests that failed, in the order of the log.

    `begins` reads a line that begins what is told of a test, and `ends` says whether a line is behind all of that.
    """
    found: list[Failed] = []
    test: Test | None = None
    body: list[str] = []
    for line in lines:
        following = begins(line)
        if test and (following or ends(line)):
            found.append(failed(*test, body))
            test = None
            if len(found) == MOST_FAILED:
                return found
        if following:
            test, body = following, []
        elif test and len(body) < MOST_LINES:
            body.append(line)
    return [*found, failed(*test, body)] if test else found
