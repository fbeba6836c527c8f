"""gcc, clang and the linker: `till.c:6:16: error: message`, the source line, a caret, notes; undefined references."""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.failures import Complaint, Place

MOST_COMPLAINTS, MOST_LINES = 20, 8
_ERROR = re.compile(r"([^:]+):(\d{1,8}):(?:(\d{1,8}):)? (?:fatal )?error: (.*)$")
_NEXT = re.compile(
    r"[^:]+:(?:\d+:|\s+(?:In function|At top level)|\d* ?warnings?)|\d+ (?:errors?|warnings?)|collect2: "
)
_MACRO = re.compile(r"[^:]+:\d+:\d+: note: (?:in expansion of|expanded from) macro ")
_LINKER = re.compile(r"(?:[^ ]{0,200}ld: )?([^:]+):(?:\d+:|\([^)]{1,80}\):) (undefined reference to .*)$")


def read(lines: Sequence[str]) -> list[Complaint]:
    """The errors in the order of the log; none where neither compiler nor linker wrote one."""
    found: list[Complaint] = []
    for number, line in enumerate(lines):
        if error := _ERROR.match(line):
            place = Place(error[1].removeprefix("./"), int(error[2]))
            following = lines[number + 1 : number + 1 + MOST_LINES]
            found.append(Complaint(error[4], place, int(error[3] or 0), _added(following)))
        elif linker := _LINKER.match(line):
            found.append(Complaint(linker[2], Place(linker[1].removeprefix("./"), 0)))
        if len(found) == MOST_COMPLAINTS:
            break
    return found


def _added(following: Sequence[str]) -> tuple[str, ...]:
    """The source line, the caret, what should stand there, and the macro that it is in."""
    added: list[str] = []
    for line in following:
        if (_NEXT.match(line) and not _MACRO.match(line)) or not line.strip():
            break
        added.append(line.removeprefix("./"))
    return tuple(added)
