"""The rows of tables with a column of diffs: a .jsonl, .csv or .parquet file, or all such shards of a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.builders import Funnel
from engine.builders.rows import Row, columns_of, count_of, rows_of
from engine.errors import UserError

ENDINGS = (".parquet", ".jsonl", ".csv")


def tables_in(place: Path) -> list[Path]:
    """The table at `place`, or those of the folder with the most common of their endings, by name."""
    if place.is_file():
        return [place] if place.suffix.lower() in (*ENDINGS, ".json") else []
    found = [Path(folder, name) for folder, _, names in os.walk(place) for name in names]
    by_ending = {ending: sorted(path for path in found if path.suffix.lower() == ending) for ending in ENDINGS}
    return max(by_ending.values(), key=len)


def rows_in(tables: Sequence[Path], columns: Sequence[str], funnel: Funnel) -> Iterator[tuple[str, Row]]:
    """Each row with an id of its own, its cells of those columns that its table has. Raises UserError as `rows_of`."""
    stems = [path.stem for path in tables]
    for path in tables:
        stem = path.stem if stems.count(path.stem) == 1 else f"{path.parent.name}/{path.stem}"
        known = columns_of(path)
        for row in rows_of(path, [column for column in columns if column in known], funnel):
            yield f"{stem}:{row.number}", row


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
