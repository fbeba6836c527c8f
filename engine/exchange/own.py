"""Our own tables, a row for each patch with its verdict: CSV, JSON lines and Parquet with the same columns.

Read back, the candidates are there with their verdicts, what was written, its score and its tokens; a bug that was not
scored has no verdicts. Times and prices of the generation are no columns: they are those of a run, not of a patch.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO, get_type_hints

from pydantic_core import PydanticSerializationError, to_json

from engine.domain import Outcome
from engine.events import MODEL
from engine.exchange.exported import Exported, Form, PatchRow
from engine.exchange.imported import Reader
from engine.params import shown

FORMULAS = frozenset("=+-@\t\r")  # first characters of cells that a spreadsheet computes (OWASP, CSV injection)
UNCHANGED = "@@ -0,0 +0,0 @@\n"  # a diff that changes nothing: an empty one would be no patch
GROUP = 1000  # rows of a Parquet group, the most that are held in memory


def write_csv(run: Exported, file: BinaryIO) -> None:
    """RFC 4180, UTF-8; a cell that a spreadsheet would compute begins with an apostrophe."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    writer: Any = csv.writer(text)
    writer.writerow(PatchRow._fields)
    for row in run.rows():
        writer.writerow([f"'{cell}" if type(cell) is str and cell[:1] in FORMULAS else cell for cell in row])
    text.detach()


def write_jsonl(run: Exported, file: BinaryIO) -> None:
    """A JSON object a line, UTF-8; https://jsonlines.org."""
    for row in run.rows():
        file.write(_line(dict(zip(PatchRow._fields, row, strict=True))) + b"\n")


def _line(values: dict[str, Any]) -> bytes:
    try:
        return to_json(values)
    except PydanticSerializationError:  # half a surrogate pair in a text
        return json.dumps(values, ensure_ascii=False).encode("utf-8", "replace")


def write_parquet(run: Exported, file: BinaryIO) -> None:
    """Parquet, a group of rows at a time; https://parquet.apache.org/docs/file-format."""
    import pyarrow as pa  # slow to import, and the other formats do without
    from pyarrow import parquet

    types: dict[Any, Any] = {int: pa.int64(), str: pa.string(), bool: pa.bool_(), float: pa.float64()}
    types |= {kind | None: column for kind, column in types.items()}
    schema = pa.schema([(name, types[kind]) for name, kind in get_type_hints(PatchRow).items()])
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for rows in _groups(run.rows()):
            columns = zip(*rows, strict=True)
            arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def _groups(rows: Iterator[PatchRow]) -> Iterator[list[PatchRow]]:
    while group := list(islice(rows, GROUP)):
        yield group


CSV = Form("csv", ".csv", "CSV", "a row for each patch with its verdict, for a spreadsheet", write_csv)
JSONL = Form("jsonl", ".jsonl", "JSONL", "the same as JSON lines, with every text to the letter", write_jsonl)
PARQUET = Form("parquet", ".parquet", "Parquet", "the same as Parquet, for pandas, polars or DuckDB", write_parquet)


def read(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The candidate of a row, of whichever of the three tables; none of a known fix or buggy code.

    Raises ValueError where a number is none.
    """
    if row["source"] != MODEL:
        return
    rest = {name: value for name, value in row.items() if name not in ("source", "diff", "failed") and value != ""}
    failed = row.get("failed")
    verdict = {"outcome": row["outcome"], "reason": row.get("reason") or "", "failed": str(failed or "").split()}
    is_unchanged = not row["diff"] and row["outcome"] not in (Outcome.NO_PATCH, Outcome.NOT_RUN)
    if row.get("not_scored"):
        verdict = {"outcome": Outcome.NOT_RUN.value, "reason": row["not_scored"]}
    written = {"completion": row["completion"] or ""} if "completion" in row else {}
    for name, kind in (("score", float), ("tokens_written", int), ("tokens_read", int)):
        written[name] = _number(kind, name, row.get(name))
    patch = UNCHANGED if is_unchanged else row["diff"] or None
    yield {**rest, **written, "rank": float(row["rank"]), "patch": patch, **verdict}


def _number(kind: type[float], name: str, value: Any) -> float | None:
    """A cell, which is text in a CSV file, and 12.0 or NaN where another program wrote the table anew."""
    if value in (None, "") or value != value:
        return None
    try:
        return kind(float(value))
    except (ValueError, TypeError, OverflowError):
        raise ValueError(f"{name} should be a number, got {shown(value)}") from None


READER = Reader("patches that this program exported", ("bug_id", "source", "rank", "outcome", "diff"), read, "model")
