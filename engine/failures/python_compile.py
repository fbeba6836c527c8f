"""Python's compiler: `File "cart.py", line 3`, the source line, a caret, `SyntaxError: message`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.failures import Complaint, Place

MOST_LINES = 6
_FILE = re.compile(r'(?:E )? *File "([^"]+)", line (\d{1,8})$')
_ERROR = re.compile(r"(?:E +)?((?:Syntax|Indentation|Tab)Error: .*)$")
_BARE = re.compile(r"(?:ValueError|RecursionError|OverflowError|MemoryError)(?:: .*)?$")  # of a text that is no program


def read(lines: Sequence[str]) -> list[Complaint]:
    """The error, of which Python reports the first; none where there is none."""
    for number, line in enumerate(lines):
        if (error := _ERROR.match(line)) is None:
            continue
        before = lines[max(0, number - MOST_LINES) : number]
        named = [(at, found) for at, each in enumerate(before) if (found := _FILE.match(each))]
        if not named:
            return [Complaint(error[1], Place("", 0))]
        at, found = named[-1]
        shown = tuple(each.removeprefix("E").rstrip() for each in before[at + 1 :] if each.strip(" E"))
        return [Complaint(error[1], Place(found[1], int(found[2])), 0, shown)]
    bare = [line for line in lines if line.strip()]
    return [Complaint(bare[0], Place("", 0))] if len(bare) == 1 and _BARE.match(bare[0]) else []
