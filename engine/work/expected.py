"""Compares a dataset with a list of ids that somebody expects in it: which are missing, and why."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

from engine.errors import UserError
from engine.listed import LONGEST, MISSING, MOST_REASONS, OTHERS, Listing

FIELD = "expected"
MOST_BYTES = 64 << 20
NOT_READ = "not in the source"
FOUND = ""
_PARTS = re.compile(r"[\s(),;]+")  # between the words that tell where a row is: "row 3 (Lang-4)"


def read_ids(file: Path) -> list[str]:
    """The ids of a text file, one a line, each once. Raises UserError if it cannot be read or has none."""
    try:
        if file.stat().st_size > MOST_BYTES:
            raise UserError(f"{FIELD}: {file} is larger than {MOST_BYTES >> 20} MiB; give a list of ids", field=FIELD)
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UserError(
            f"{FIELD}: {file} cannot be read: {why}; give a text file with an id a line", field=FIELD
        ) from None
    ids = [line.strip() for line in lines if line.strip()]
    if not ids:
        raise UserError(f"{FIELD}: {file} holds no id; give a text file with an id a line", field=FIELD)
    return list(dict.fromkeys(ids))


class Expected:
    """What became of each expected id; without a file there are none."""

    def __init__(self, file: str) -> None:
        """Raises UserError if there is no such file."""
        self._became = dict.fromkeys(read_ids(Path(file)), NOT_READ) if file else {}

    def __contains__(self, bug_id: str) -> bool:
        return bug_id in self._became

    def keep(self, bug_id: str) -> None:
        """The bug is in the dataset, whatever becomes of other rows with its id."""
        if bug_id in self._became:
            self._became[bug_id] = FOUND

    def lose(self, where: str, reason: str) -> None:
        """A row was left out; `where`: its id, or words among which the id is."""
        if not self._became:
            return
        for name in {where, *_PARTS.split(where)}:
            if self._became.get(name, FOUND) != FOUND:
                self._became[name] = reason

    def report(self, folder: Path) -> dict[str, Any] | None:
        """wanted, found, and missing (reason -> how many), or None; lists the missing ones in the folder.

        Of very many reasons, the rarest are one.
        """
        if not self._became:
            return None
        missing = {name: reason for name, reason in self._became.items() if reason != FOUND}
        with Listing(folder / MISSING) as listing:
            for name, reason in missing.items():
                listing.add(reason, bug_id=name)
        ordered = Counter(reason[:LONGEST] for reason in missing.values()).most_common()
        reasons = dict(ordered[:MOST_REASONS])
        if rare := ordered[MOST_REASONS:]:
            reasons[OTHERS] = sum(count for _, count in rare)
        return {"wanted": len(self._became), "found": len(self._became) - len(missing), "missing": reasons}
