"""Reads single rows of a dataset's Parquet file for a page; the file may be a stranger's."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from threading import Lock
from typing import Any, Literal

from engine.errors import UserError
from engine.params import shown
from engine.reading import open_regular
from engine.training_set import BYTES_A_GROUP, ROWS_A_GROUP

MOST_BYTES, MOST_VALUES = 4 * BYTES_A_GROUP, 20_000_000  # of one column in a group that is read for a page
TEXTS = (
    "bug_id",
    "kind",
    "project",
    "language",
    "prompt",
    "target",
    "buggy",
    "fixed",
    "rejected",
    "cwe",
    "date",
    "messages",
)  # columns
NEEDED = dict.fromkeys(("bug_id", "kind", "prompt", "target", "buggy", "fixed"), str) | {
    "input_ids": list,
    "n_prompt": int,
}  # columns that every version wrote, with their types


# Arrow's types of text -> format of the offsets of their bytes
OFFSETS: dict[str, Literal["i", "q"]] = {"string": "i", "large_string": "q"}


class Stored:
    """One finished Parquet file, read in groups of rows, so that it may be larger than the memory.

    It raises UserError, which names the file, wherever it is not what `training_set.Shard` writes.
    """

    def __init__(self, path: Path) -> None:
        """Raises UserError if it cannot be read, OSError if there is no such file."""
        from pyarrow import parquet

        self._path = path
        os.close(open_regular(path))
        try:
            self._names = frozenset(parquet.read_schema(path).names)
            # equal texts are kept once: written in this way, a file of a few kilobytes may hold gigabytes of them
            texts = [name for name in TEXTS if name in self._names]
            self._file = parquet.ParquetFile(path, read_dictionary=texts)
            self._metadata = self._file.metadata
        except (ValueError, KeyError, NotImplementedError, OSError) as error:
            raise self._wrong(error) from None
        groups = range(self._metadata.num_row_groups)
        lengths = (self._metadata.row_group(group).num_rows for group in groups)
        # the first row of each group, and the number of rows
        self.starts: list[int] = list(accumulate(lengths, initial=0))
        self._reading = Lock()  # pyarrow's reader serves one thread

    def __len__(self) -> int:
        return self.starts[-1]

    def row(self, index: int, columns: Sequence[str]) -> dict[str, Any]:
        """These columns of one row, counted from 0; without those that are missing in files of the first version."""
        columns = [name for name in columns if name in self._names or name in NEEDED]
        group = bisect_right(self.starts, index) - 1
        table = self._group(group, columns).slice(index - self.starts[group], 1)
        try:
            values = {name: table[name][0].as_py() for name in columns}
        except UnicodeDecodeError as error:
            raise self._wrong(error) from None
        wrong = [name for name, value in values.items() if name in NEEDED and not isinstance(value, NEEDED[name])]
        if wrong:
            raise self._wrong(f"column {wrong[0]} of row {index + 1} holds {shown(values[wrong[0]])}")
        return values

    def tables(self, columns: Sequence[str], rows: int) -> Iterator[Any]:
        """All rows as Arrow tables of up to `rows` rows, with those of these columns that the file has."""
        columns = [name for name in columns if name in self._names or name in NEEDED]
        for group in range(len(self.starts) - 1):
            table = self._group(group, columns)
            for start in range(0, len(table), rows):
                yield table.slice(start, rows)

    def matches(self, group: int, text: str, columns: Sequence[str]) -> list[int]:
        """The rows of one group in which a column contains `text`, ignoring the case of ASCII letters."""
        table, wanted = self._group(group, columns), text.encode().lower()
        found: set[int] = set()
        for name in columns:
            first = self.starts[group]
            for chunk in table[name].chunks:
                found.update(first + row for row in self._rows_containing(chunk, name, wanted))
                first += len(chunk)
        return sorted(found)

    def _rows_containing(self, chunk: Any, name: str, wanted: bytes) -> Iterable[int]:
        from pyarrow import types

        # without pyarrow's own functions for arrays, which import pandas: 40 MiB
        if not types.is_dictionary(chunk.type) or str(chunk.dictionary.type) not in OFFSETS:
            raise self._wrong(f"column {name} does not hold text")
        hits = set(_containing(chunk.dictionary, wanted))
        return [row for row, text in enumerate(chunk.indices.to_pylist()) if text in hits] if hits else []

    def _group(self, group: int, columns: Sequence[str]) -> Any:
        if missing := [name for name in columns if name in NEEDED and name not in self._names]:
            raise self._wrong(f"it has no column {', '.join(missing)}")
        self._check_size(group, columns)
        import pyarrow

        with self._reading:
            try:
                return self._file.read_row_group(group, columns=list(columns), use_threads=False)
            except (ValueError, TypeError, KeyError, NotImplementedError, OSError) as error:
                raise self._wrong(error) from None
            finally:
                pyarrow.default_memory_pool().release_unused()  # it keeps tens of megabytes for the next reading

    def _check_size(self, group: int, columns: Sequence[str]) -> None:
        """Raises UserError on a group of rows that would take much more memory than any that `Shard` writes."""
        parts = self._metadata.row_group(group)
        for part in map(parts.column, range(parts.num_columns)):
            if part.path_in_schema.partition(".")[0] not in columns:
                continue
            is_large = part.total_uncompressed_size > MOST_BYTES or part.num_values > MOST_VALUES
            if is_large or "DELTA_BYTE_ARRAY" in part.encodings:  # in which a few bytes may stand for long texts
                raise self._wrong(
                    f"column {part.path_in_schema} has {part.num_values:,} values in one group of rows; write the file "
                    f"in groups of {ROWS_A_GROUP:,} rows"
                )

    def _wrong(self, problem: object) -> UserError:
        return UserError(f"{self._path} cannot be shown: it is damaged, or no dataset ({problem}); build it again")


def _containing(texts: Any, wanted: bytes) -> Iterator[int]:
    """The indices in an Arrow array of the texts that contain these bytes; searches all texts at once."""
    _, offsets, content = texts.buffers()
    if content is None:
        return
    starts = memoryview(offsets).cast(OFFSETS[str(texts.type)])[texts.offset : texts.offset + len(texts) + 1]
    searched = content.to_pybytes().lower()
    at = searched.find(wanted, starts[0], starts[-1])
    while at >= 0:
        row = bisect_right(starts, at) - 1
        is_within = at + len(wanted) <= starts[row + 1]
        if is_within:
            yield row
        at = searched.find(wanted, starts[row + 1] if is_within else at + 1, starts[-1])
