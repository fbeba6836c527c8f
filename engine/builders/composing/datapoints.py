"""Rows of Long Code Arena's project-level completion: a completion file, its repository, its lines by category.

`repo, commit_hash, completion_file {filename, content}, completion_lines {category: [line, from 0]}, repo_snapshot
{filename: [...], content: [...]}`, as in JetBrains-Research/lca-project-level-code-completion and in the benchmark
`completion`; as .jsonl or .parquet.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.builders import Funnel
from engine.builders.composing import File
from engine.builders.records import lines_within
from engine.builders.rows import parquet_file
from engine.domain import lines_of
from engine.errors import UserError
from engine.params import is_unicode

ENDINGS = (".jsonl", ".json", ".parquet")
FIELDS = ("repo", "commit_hash", "completion_file", "completion_lines", "repo_snapshot")
LONGEST = 64 << 20  # bytes of a row
_TOO_LONG = f"rows longer than {LONGEST >> 20} MiB"
_NO_ROW = "is no row of Long Code Arena"


@dataclass(frozen=True)
class Held(File):
    """A file whose text is in memory."""

    path: str
    content: str

    def text(self) -> str | None:
        return self.content


@dataclass(frozen=True)
class Datapoint:
    """One row."""

    repository: str
    commit: str
    path: str
    text: str
    lines: Mapping[str, Sequence[int]]  # category -> lines of the text, from 0
    files: Sequence[Held]  # of the repository; one may be the completion file itself


def datapoints(path: Path, funnel: Funnel, field: str) -> Iterator[tuple[str, Datapoint]]:
    """Where each row is, and the row, one at a time; counts each, and those that cannot be read as lost.

    Raises UserError, with the setting `field`, where the file cannot be read or has none of these columns.
    """
    rows = _parquet(path, funnel, field) if path.suffix.lower() == ".parquet" else _json(path, funnel)
    n_rows = 0
    for where, row in rows:
        found = _datapoint(row)
        if isinstance(found, str):
            funnel.lose(found, where)
        else:
            n_rows += 1
            yield where, found
    if not n_rows:
        raise UserError(
            f"{path.name} holds no row of Long Code Arena that can be used; a row has {', '.join(FIELDS)}", field=field
        )


def _json(path: Path, funnel: Funnel) -> Iterator[tuple[str, Any]]:
    for number, line in lines_within(path, LONGEST):
        where = f"line {number}"
        if line is not None and not line.strip():
            continue
        funnel.source += 1
        if line is None:
            funnel.lose(_TOO_LONG, where)
            continue
        try:
            row = json.loads(line.decode("utf-8"))
        except (ValueError, RecursionError):
            funnel.lose("is no JSON in UTF-8", where)
        else:
            yield where, row


def _parquet(path: Path, funnel: Funnel, field: str) -> Iterator[tuple[str, Any]]:
    import pyarrow

    number = 0
    file = parquet_file(path, field)
    try:
        if missing := [name for name in FIELDS if name not in file.schema_arrow.names]:
            raise UserError(
                f"{path.name} has no column {', '.join(missing)}; are these Long Code Arena's rows?", field=field
            )
        for batch in file.iter_batches(batch_size=1, columns=[*FIELDS]):
            number += 1
            funnel.source += 1
            where = f"row {number}"
            if batch.nbytes > LONGEST:
                funnel.lose(_TOO_LONG, where)
                continue
            try:
                row = batch.to_pylist()[0]
            except UnicodeDecodeError:
                funnel.lose("is not UTF-8", where)
            else:
                yield where, row
    except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError, OSError) as error:
        raise UserError(f"{path.name} is broken after row {number}: {error}", field=field) from None


def _datapoint(row: Any) -> Datapoint | str:
    """Or the reason why it is none."""
    try:
        file, snapshot = row["completion_file"], row["repo_snapshot"]
        if isinstance(snapshot, list):  # of {filename, content}
            snapshot = {name: [each[name] for each in snapshot] for name in ("filename", "content")}
        texts = [row["repo"], row["commit_hash"] or "", file["filename"], file["content"]]
        texts += [*snapshot["filename"], *snapshot["content"]]
        lines = {str(kind): [*each] for kind, each in (row["completion_lines"] or {}).items() if each}
        n_lines = len(lines_of(file["content"]))
        is_sound = (
            all(isinstance(text, str) for text in texts)
            and all(isinstance(line, int) and 0 <= line < n_lines for each in lines.values() for line in each)
            and row["repo"] and file["filename"]
        )  # fmt: skip
        if not is_sound:
            return _NO_ROW
        if not all(map(is_unicode, [*texts, *lines])):
            return "is not Unicode"
        files = [Held(*pair) for pair in zip(snapshot["filename"], snapshot["content"], strict=True)]
    except (KeyError, TypeError, ValueError, AttributeError):
        return _NO_ROW
    return Datapoint(row["repo"], row["commit_hash"] or "", file["filename"], file["content"], lines, files)
