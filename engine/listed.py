"""Lists of rows beside a dataset, a JSON object a line: what was left out, what overlaps, which ids are missing.

The worker writes them, bounded for each reason; pages and shell read some rows at a time. A file may be a stranger's.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from engine.params import in_unicode
from engine.reading import open_regular

MOST = 100_000  # rows listed of one reason; further ones are only counted
MOST_REASONS, OTHERS = 200, "other reasons, each rarer than all of these"  # in a report
LONGEST = 300  # characters of one value
LINE_BYTES = 16 << 10
LEFT_OUT, OVERLAP, MISSING = "left_out.jsonl", "overlap.jsonl", "missing.jsonl"  # in a dataset's folder


class Listing:
    """One file that is written: the rows of each reason, up to MOST of them."""

    def __init__(self, path: Path) -> None:
        self.counts = Counter[str]()  # reason -> rows, also those that are not listed
        self._path = path
        self._file: IO[str]

    def __enter__(self) -> Self:
        self._file = self._path.open("w", encoding="utf-8")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def add(self, reason: str, **values: object) -> None:
        """One row; a text longer than LONGEST characters is cut off, and what is no Unicode in it replaced."""
        self.counts[reason] += 1
        if self.counts[reason] <= MOST:
            row = {"reason": reason, **values}
            short = {
                name: in_unicode(value[:LONGEST]) if isinstance(value, str) else value for name, value in row.items()
            }
            self._file.write(json.dumps(short) + "\n")


@dataclass(frozen=True)
class Listed:
    """Some rows of a file, and how many of it are like them."""

    rows: tuple[Mapping[str, Any], ...]
    total: int  # rows in the file for which it was asked


def listed(path: Path, reason: str = "", search: str = "", start: int = 0, count: int = 50) -> Listed:
    """Rows `start` to `start + count` of those with this reason (all if it is empty) that contain `search`.

    An empty answer if there is no such file. Raises OSError if it cannot be read, or is no regular file.
    """
    rows, total = [], 0
    try:
        for row in _chosen(path, reason[:LONGEST], search.lower()):
            if start <= total < start + count:
                rows.append(row)
            total += 1
    except FileNotFoundError:
        pass
    return Listed(tuple(rows), total)


def _chosen(path: Path, reason: str, search: str) -> Iterator[Mapping[str, Any]]:
    wanted = json.dumps(reason).encode() if reason else b""
    is_wanted: Callable[[bytes], bool] = (lambda line: wanted in line) if wanted else bool
    with open(open_regular(path), "rb") as file:
        while line := file.readline(LINE_BYTES):
            if not is_wanted(line):
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                continue  # a damaged line, or one that is longer than any that is written here
            if not isinstance(row, dict) or (reason and row.get("reason") != reason):
                continue
            if not search or any(search in value.lower() for value in row.values() if isinstance(value, str)):
                yield row
