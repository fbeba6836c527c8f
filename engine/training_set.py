"""The two Parquet files of a dataset, for training and for evaluation; only this module knows their columns."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date as calendar_day
from hashlib import sha256
from pathlib import Path
from typing import Any, get_args

from engine.domain import Rows, Segment
from engine.fingerprint import row_bytes

ROWS_A_GROUP = 4000
BYTES_A_GROUP = 64 << 20  # after which a group of fewer, long rows is written too

_AT_ONCE = 100  # rows that are Python's at a time


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
    cwe: str = ""
    date: str = ""  # ISO 8601 day of the fix, or whatever its source has for one
    is_function: bool = False  # `buggy` and `fixed` are one function each, and no files
    completion_lines: str = ""  # JSON: category -> lines, from 0, of prompt and target together (`Sample.lines`)
    messages: str = ""  # JSON: the messages of a chat of which the texts were made (`messages_json`)
    is_wrong: bool = False  # of single answers: one not to write

    @property
    def day(self) -> str:
        """The day of the fix; empty if it is not known, or no day."""
        try:
            return calendar_day.fromisoformat(self.date[:10]).isoformat()
        except ValueError:
            return ""

    @property
    def memory_bytes(self) -> int:
        """The approximate size of the row: its texts, and 36 bytes for each token in a Python list."""
        texts = (self.prompt, self.target, self.buggy, self.fixed, self.rejected, self.messages)
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
        return (Row(**values) for values in self.values())

    def values(self, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
        """These columns (None: all) of each row of the closed file. One group is held at a time, few rows as Python's.

        `ParquetFile.iter_batches` would join groups up to its number of rows, however long these are.
        """
        from pyarrow import parquet

        file = parquet.ParquetFile(self.path)
        names = None if columns is None else list(columns)
        for group in range(file.num_row_groups):
            for batch in file.read_row_group(group, columns=names).to_batches(max_chunksize=_AT_ONCE):
                yield from batch.to_pylist()

    def _write(self) -> None:
        import pyarrow

        if self._waiting:
            columns = [[getattr(row, name) for row in self._waiting] for name in self._schema.names]
            arrays = [pyarrow.array(cells, field.type) for cells, field in zip(columns, self._schema, strict=True)]
            self._writer.write_table(pyarrow.Table.from_arrays(arrays, schema=self._schema))
            self._waiting.clear()
            self._waiting_bytes = 0


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
            ("cwe", pyarrow.string()),
            ("date", pyarrow.string()),
            ("is_function", pyarrow.bool_()),
            ("completion_lines", pyarrow.string()),
            ("messages", pyarrow.string()),
            ("is_wrong", pyarrow.bool_()),
        ]
    )


def messages_json(messages: Sequence[Segment]) -> str:
    """A list of `{"role", "content"}`, with `"weight": 0` where an answer is only read; empty without messages.

    So OpenAI's fine-tuning has them (https://platform.openai.com/docs/api-reference/fine-tuning/chat-input).
    """
    unlearned = {"weight": 0}
    found = [
        {"role": each.role, "content": each.text}
        | (unlearned if each.role == "assistant" and not each.is_learned else {})
        for each in messages
    ]
    return json.dumps(found, ensure_ascii=False) if found else ""


def rows_in(folder: Path) -> Rows:
    """The kind of rows in a dataset's folder, from its report; samples if the report does not say."""
    try:
        held = json.loads((folder / "report.json").read_text(encoding="utf-8")).get("holds")
    except (OSError, ValueError, AttributeError):
        held = None
    return held if held in get_args(Rows) else "samples"
