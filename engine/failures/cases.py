"""The cases of our own runner of C programs: what a case wrote, and what it should have written."""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.failures import Failed

_CASE = re.compile(r"(\w{1,100}): ended with status (\S{1,20}) and wrote (.*), expected (.*)$")


def read(lines: Sequence[str]) -> list[Failed]:
    """The cases that failed; none where it is no log of them."""
    found = []
    for case in filter(None, map(_CASE.match, lines)):
        message = "" if case[2] == "0" else f"it ended with status {case[2]}"
        found.append(Failed(case[1], "", "", message, case[4], case[3]))
    return found
