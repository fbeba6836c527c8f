"""Files of a benchmark that a user has copied to this machine, or what to do where they are not there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.errors import UserError


def files(folder: str, patterns: Sequence[str], name: str, how: str) -> list[Path]:
    """The files of the first pattern below `folder` that any match, in the order of their names.

    `name`: "QuixBugs checkout"; `how`: a command that gets it. Raises UserError where none is there.
    """
    for pattern in patterns if folder else ():
        if found := sorted(Path(folder).glob(pattern)):
            return found
    where = f"no {name} in {folder}" if folder else "no folder is named"
    raise UserError(f"{where}; {how} and give its folder", field="benchmark.folder")
