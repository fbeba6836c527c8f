"""The two Parquet files of a dataset, for training and for evaluation; only this module knows their columns."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any, get_args

from engine.domain import Rows
from engine.fingerprint import hash_of_sides, row_bytes

ROWS_A_GROUP = 4000
BYTES_A_GROUP = 64 << 20  # after which a group of fewer, long rows is written too


@dataclass(frozen=True)
class Row:
    """One tokenised sample or preference, as stored.

    `learned`: the ranges of `input_ids` that are learned, as start, end, start, end ... (ends excluded); the other
    tokens are only read. A preference has its chosen answer in `input_ids`; the rejected one, after the same prompt, is
    in `rejected_ids`.
    """

    bug_id: str
    kind: str
    project: str
    language: str
    prompt: str
    target: str
    input_ids: list[int]  # (n_tokens,): all segments, end of text
    n_prompt: int  # tokens before the first learned one
    n_tokens: int
    buggy: str = ""  # the whole faulty file
    fixed: str = ""  # the whole fixed file
    learned: list[int] = field(default_factory=list)
    rejected: str = ""
    rejected_ids: list[int] = field(default_factory=list)  # tokens of `rejected`, end of text

    @property
    def unit(self) -> str:
        """What a split never divides: the project, or the bug alone if its project is not known."""
        return self.project or self.bug_id

    @property
    def memory_bytes(self) -> int:
        """The approximate size of the row: its texts, and 36 bytes for each token in a Python list."""
        texts = (self.prompt, self.target, self.buggy, self.fixed, self.rejected)
        return sum(map(len, texts)) + 36 * (self.n_tokens + len(self.rejected_ids))


class Shard:
    """One Parquet file, written row by row in groups."""

    def __init__(self, path: Path) -> None:
        from pyarrow import parquet

        self.path = path
        self.n_rows = 0
        self.digest = sha256()
        self._waiting: list[Row] = []
        self._waiting_bytes = 0
        self._schema = _schema()
        # without the least and the greatest text of each group, which a page would hold in memory and nobody reads
        self._writer = parquet.ParquetWriter(path, self._schema, compression="zstd", write_statistics=False)

    def add(self, row: Row) -> None:
        self.n_rows += 1
        self.digest.update(row_bytes(row.bug_id, row.input_ids, row.learned, row.rejected_ids))
        self._waiting.append(row)
        self._waiting_bytes += row.memory_bytes
        if len(self._waiting) == ROWS_A_GROUP or self._waiting_bytes > BYTES_A_GROUP:
            self._write()

    def close(self) -> None:
        self._write()
        self._writer.close()

    def rows(self) -> Iterator[Row]:
        """The rows of the closed file."""
        from pyarrow import parquet

        for batch in parquet.ParquetFile(self.path).iter_batches(batch_size=ROWS_A_GROUP):
            for values in batch.to_pylist():
                yield Row(**values)

    def _write(self) -> None:
        import pyarrow

        if self._waiting:
            columns = [[getattr(row, name) for row in self._waiting] for name in self._schema.names]
            arrays = [pyarrow.array(cells, field.type) for cells, field in zip(columns, self._schema, strict=True)]
            self._writer.write_table(pyarrow.Table.from_arrays(arrays, schema=self._schema))
            self._waiting.clear()
            self._waiting_bytes = 0


class Split:
    """Puts each row on one side by a seeded hash of its project, so that rows can be divided as they come."""

    def __init__(self, folder: Path, seed: int, valid_fraction: float) -> None:
        self._seed = seed
        self._fraction = valid_fraction
        self._folder = folder
        self._rows_of: dict[str, int] = {}  # rows by project
        self.train, self.valid = Shard(folder / "train.parquet"), Shard(folder / "valid.parquet")

    def add(self, row: Row) -> None:
        self._rows_of[row.unit] = self._rows_of.get(row.unit, 0) + 1
        (self.valid if self._place(row.unit) < self._fraction else self.train).add(row)

    def close(self) -> None:
        """Finish both files; if the hash missed the wanted share by far, because of few or uneven projects, redo it."""
        self.train.close()
        self.valid.close()
        if not self._misses_badly():
            return
        valid = self._chosen()
        old = (self.train, self.valid)
        self.train, self.valid = Shard(self._folder / "train.new"), Shard(self._folder / "valid.new")
        for shard in old:
            for row in shard.rows():
                (self.valid if row.unit in valid else self.train).add(row)
        for new, shard in zip((self.train, self.valid), old, strict=True):
            new.close()
            os.replace(new.path, shard.path)
            new.path = shard.path

    def hash(self) -> str:
        """SHA-256 over ids and tokens of all rows of both sides, in order."""
        return hash_of_sides(self.train.digest.digest(), self.valid.digest.digest())

    def _misses_badly(self) -> bool:
        """Whether the evaluation side has less than a third of its share, more than three times, or all rows."""
        if len(self._rows_of) < 2:
            return self.valid.n_rows > 0
        share = self.valid.n_rows / (self.train.n_rows + self.valid.n_rows)
        return not self.train.n_rows or not self._fraction / 3 <= share <= self._fraction * 3

    def _place(self, unit: str) -> float:
        """Evenly spread over 0..1, the same for the same seed everywhere."""
        digest = blake2b(f"{self._seed}:{unit}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") / (1 << 64)

    def _chosen(self) -> set[str]:
        """Projects for evaluation, in the order of their hash, up to the wanted share; at least one of two or more."""
        if len(self._rows_of) < 2:
            return set()
        wanted = self._fraction * sum(self._rows_of.values())
        chosen: set[str] = set()
        n_rows = 0
        for unit in sorted(self._rows_of, key=self._place):
            if n_rows + self._rows_of[unit] <= wanted:
                chosen.add(unit)
                n_rows += self._rows_of[unit]
        return chosen or {min(self._rows_of, key=lambda unit: (abs(self._rows_of[unit] - wanted), self._place(unit)))}


def _schema() -> Any:
    import pyarrow

    texts = ("bug_id", "kind", "project", "language", "prompt", "target")
    return pyarrow.schema(
        [
            *((name, pyarrow.string()) for name in texts),
            ("input_ids", pyarrow.list_(pyarrow.int32())),
            ("n_prompt", pyarrow.int32()),
            ("n_tokens", pyarrow.int32()),
            ("buggy", pyarrow.string()),
            ("fixed", pyarrow.string()),
            ("learned", pyarrow.list_(pyarrow.int32())),
            ("rejected", pyarrow.string()),
            ("rejected_ids", pyarrow.list_(pyarrow.int32())),
        ]
    )


def rows_in(folder: Path) -> Rows:
    """The kind of rows in a dataset's folder, from its report; samples if the report does not say."""
    try:
        held = json.loads((folder / "report.json").read_text(encoding="utf-8")).get("holds")
    except (OSError, ValueError, AttributeError):
        held = None
    return held if held in get_args(Rows) else "samples"
