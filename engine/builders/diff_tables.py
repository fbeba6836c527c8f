"""The rows of tables with a column of diffs: a .jsonl, .csv or .parquet file, or all such shards of a folder."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from os.path import commonpath
from pathlib import Path

from engine.builders import Funnel
from engine.builders.rows import Row, columns_of, count_of, rows_of
from engine.errors import UserError

ENDINGS = (".parquet", ".jsonl", ".csv")


def tables_in(place: Path, most: int | None = None) -> list[Path]:
    """The table at `place`, or those of the folder with the most common of their endings, by name.

    `most`: only among so many entries of the folder.
    """
    if place.is_file():
        return [place] if place.suffix.lower() in (*ENDINGS, ".json") else []
    found = [path for path, is_folder in islice(entries(place), most) if not is_folder]
    by_ending = {ending: sorted(path for path in found if path.suffix.lower() == ending) for ending in ENDINGS}
    return max(by_ending.values(), key=len)


def entries(folder: Path) -> Iterator[tuple[Path, bool]]:
    """Each entry of a folder and of those inside it as it is found, and whether it is a folder; links are not followed.

    Unlike those of `os.walk`, entries of a folder come before its end is read.
    """
    waiting = deque([folder])
    while waiting:
        with suppress(OSError), os.scandir(waiting.popleft()) as found:
            for entry in found:
                is_folder = entry.is_dir()
                yield Path(entry.path), is_folder
                if is_folder and not entry.is_symlink():
                    waiting.append(Path(entry.path))


def names_of(tables: Sequence[Path]) -> list[str]:
    """A name of its own for each table: as short as the others allow."""
    stems = Counter(path.stem for path in tables)
    inner = Counter(f"{path.parent.name}/{path.stem}" for path in tables)
    above = Path(commonpath([path.parent for path in tables])) if tables else Path()
    made = []
    for path in tables:
        name = path.stem if stems[path.stem] == 1 else f"{path.parent.name}/{path.stem}"
        is_own = stems[path.stem] == 1 or inner[name] == 1
        made.append(name if is_own else path.relative_to(above).as_posix())
    return made


def rows_in(tables: Sequence[Path], columns: Sequence[str], funnel: Funnel) -> Iterator[tuple[str, Row]]:
    """Each row with an id of its own, its cells of those columns that its table has. Raises UserError as `rows_of`."""
    for path, name in zip(tables, names_of(tables), strict=True):
        known = columns_of(path)
        for row in rows_of(path, [column for column in columns if column in known], funnel):
            yield f"{name}:{row.number}", row


def total_of(tables: Sequence[Path]) -> int | None:
    """The rows of all tables, where it is known without reading them."""
    counts = [count_of(path) for path in tables]
    return None if None in counts else sum(count for count in counts if count is not None)


def check_tables(tables: Sequence[Path], column: str, field: str) -> None:
    """Raises UserError, with the setting `field`, if one of them lacks the column."""
    for path in tables:
        known = columns_of(path)
        if column not in known:
            raise UserError(
                f"{path.name} has no column {column!r}; its columns are: {', '.join(known) or 'none'}", field=field
            )
