"""The Java compiler: by itself and below Gradle, with Ant's margin, and in Maven's form `Till.java:[10,20] message`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.failures import Complaint, Place

MOST_COMPLAINTS, MOST_LINES = 20, 8
_MARGIN = re.compile(r"(?:\s*\[javac\] ?|\[ERROR\] ?|:\w{1,100}(?=/))")  # Gradle's task has no line of its own
_PLAIN = re.compile(r"([^:]+\.java):(\d{1,8}): error: (.*)$")
_MAVEN = re.compile(r"([^:]+\.java):\[(\d{1,8}),(\d{1,8})\] (?:error: )?(.*)$")
_OTHER = re.compile(r"[^:]+\.java:(?:\d+: |\[\d+,\d+\])")  # a warning, or another error
_COUNT = re.compile(r"\d+ (?:errors?|warnings?)$")
_ADDED = ("symbol:", "location:", "required:", "found:", "reason:", "where ")


def read(lines: Sequence[str]) -> list[Complaint]:
    """The errors in the order of the log; none where the compiler wrote none."""
    found: dict[tuple[Place, str], Complaint] = {}
    bare = [_MARGIN.sub("", line, count=1) for line in lines]
    for number, line in enumerate(bare):
        if plain := _PLAIN.match(line):
            place, column, message = Place(plain[1], int(plain[2])), 0, plain[3]
        elif maven := _MAVEN.match(line):
            place, column, message = Place(maven[1], int(maven[2])), int(maven[3]), maven[4]
        else:
            continue
        made = Complaint(message, place, column, _added(bare[number + 1 : number + 1 + MOST_LINES], bool(column)))
        known = found.setdefault((place, message), made)  # Maven writes each twice, with more the second time
        if len(made.lines) > len(known.lines):
            found[place, message] = made
        if len(found) == MOST_COMPLAINTS:
            break
    return [*found.values()]


def _added(following: Sequence[str], is_maven: bool) -> tuple[str, ...]:
    """The source line, the caret and what else belongs to an error."""
    added: list[str] = []
    for line in following:
        is_over = not line.strip() or _OTHER.match(line) or _COUNT.match(line.strip())
        if is_over or (is_maven and not line.strip().startswith(_ADDED)):
            break
        added.append(line)
    return tuple(added)
