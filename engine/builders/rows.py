"""Reads the rows of a JSONL, CSV, Parquet or Arrow file one at a time, with any number and length of rows.

A row that cannot be read, or is longer than LONGEST, is counted and skipped; a file that cannot be read is a UserError
that says where.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from engine.builders import Funnel
from engine.builders.packed import FREE_OF_RATIO, RATIO
from engine.builders.records import Records, TooLong, elements_within, is_array, is_named_objects, lines_within
from engine.errors import UserError
from engine.params import is_unicode, shown

FIELD = "builder.file"
MOST_COLUMNS = 1000  # a page shows each of them
_HEADER_LINES = 100  # JSON lines from which the columns are collected
LONGEST = 4 << 20  # bytes of a row; parsed, JSON takes up to 27 times as much
TOO_LONG = f"rows longer than {LONGEST >> 20} MiB"
LONGEST_NAME = 500  # characters of a column's name
_PIECE = 1 << 20  # bytes of a Parquet file that are read at once, of each column
_MOST_PARTS = 50_000  # columns, and groups of rows, of a Parquet file; a column takes 4 KB before any can be looked at
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # characters that no text has, and every picture or archive
CURE = 'a cell with a quote, comma or line break stands in quotes, and a quote in it is doubled ("")'


@dataclass(frozen=True)
class Row:
    """One row: its number (from 1; the line, in JSONL and CSV) and its cells by column."""

    number: int
    cells: dict[str, Any]


@dataclass(frozen=True)
class TableRow:
    """One row of a table, which may be several files: a name of its own, and its cells by column."""

    id: str
    number: int  # in its file
    where: str  # the same for people
    cells: dict[str, Any]


def columns_of(path: Path) -> list[str]:
    """The columns of a file, in its order. Raises UserError where it cannot be read, or is no table of text.

    Nor may it have more than MOST_COLUMNS.
    """
    columns = _columns_of(path)
    for name in columns:
        if len(name) > LONGEST_NAME or CONTROL.search(name) or not is_unicode(name):
            raise UserError(
                f"{path.name} is not a table of text: {shown(name[:8])} stands where a column is named; choose a "
                ".jsonl or .parquet file, or a .csv saved as UTF-8 text",
                field=FIELD,
            )
    return columns


def _columns_of(path: Path) -> list[str]:
    kind = _kind(path)
    if kind == ".csv":
        with Records(path, LONGEST) as records:
            columns = _header(records, path)
    elif kind == ".parquet":
        columns = list(parquet_file(path).schema_arrow.names)
    elif kind == ".arrow":
        columns = list(_arrow(path).schema.names)
    else:
        rows = islice(_json_rows(path, Funnel()), _HEADER_LINES)
        columns = list(dict.fromkeys(column for row in rows for column in row.cells))
    if len(columns) > MOST_COLUMNS:
        raise UserError(
            f"{path.name} has {len(columns):,} columns; leave out those not needed, down to {MOST_COLUMNS:,}",
            field=FIELD,
        )
    return columns


def check_columns(path: Path, columns: list[str]) -> None:
    """Raises UserError if the file cannot be read or lacks one of the columns."""
    known = columns_of(path)
    for column in columns:
        if column not in known:
            raise UserError(
                f"{path.name} has no column {column!r}; its columns are: {', '.join(known) or 'none'}",
                field=FIELD,
            )


def rows_of(path: Path, columns: list[str], funnel: Funnel) -> Iterator[Row]:
    """Stream the rows with these columns; counts every row into `funnel.source`, unreadable ones as lost.

    Raises UserError if the file is missing, of an unknown kind or broken, or has no such column or no readable row.
    """
    check_columns(path, columns)
    readers = {".csv": _csv_rows, ".parquet": _parquet_rows, ".arrow": _arrow_rows}
    kind = _kind(path)
    if kind in readers:
        yield from readers[kind](path, columns, funnel)
    else:
        yield from _json_rows(path, funnel)


def count_of(path: Path) -> int | None:
    """The number of rows, if it is known without reading the file."""
    return int(parquet_file(path).metadata.num_rows) if _kind(path) == ".parquet" else None


def _kind(path: Path) -> str:
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise UserError(f"the file {str(path)!r} {what}; name a .jsonl, .csv or .parquet file", field=FIELD)
    if path.suffix.lower() not in (".jsonl", ".json", ".csv", ".parquet", ".arrow"):
        raise UserError(
            f"{path.name} is not a .jsonl, .json (a list, named objects, or an object per line), .csv or .parquet file",
            field=FIELD,
        )
    return path.suffix.lower()


def _json_rows(path: Path, funnel: Funnel) -> Iterator[Row]:
    is_any, first_broken = False, 0
    is_named = path.suffix.lower() == ".json" and is_named_objects(path)
    is_whole = is_named or (path.suffix.lower() == ".json" and is_array(path))
    where = "element" if is_whole else "line"
    for number, line in (elements_within if is_whole else lines_within)(path, LONGEST):
        if line is None:
            first_broken = first_broken or number
            funnel.source += 1
            funnel.lose(TOO_LONG, f"{where} {number}")
            continue
        text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        if not text.strip():
            continue
        funnel.source += 1
        try:
            decoded = text.decode("utf-8")
            cells = _named(json.loads(f"{{{decoded}}}")) if is_named else json.loads(decoded)
        except UnicodeDecodeError as error:
            funnel.lose("not UTF-8", f"{where} {number}, byte {text[error.start]:#04x} at {error.start + 1}")
        except (ValueError, RecursionError):
            first_broken = first_broken or number
            funnel.lose("not valid JSON", f"{where} {number}")
        else:
            if isinstance(cells, dict):
                is_any = True
                yield Row(number, cells)
            else:
                first_broken = first_broken or number
                funnel.lose("not a JSON object", f"{where} {number}")
    if not is_any:
        why = f"; {where} {first_broken} is not one" if first_broken else " in UTF-8"
        raise UserError(f"{path.name} contains no {where} with a JSON object{why}", field=FIELD)


def _named(member: dict[str, Any]) -> Any:
    """The value of an object's only member, with the member's name as its `id` unless it has one."""
    ((name, cells),) = member.items()
    return {"id": name} | cells if isinstance(cells, dict) else cells


def _header(records: Records, path: Path) -> list[str]:
    try:
        header = next(records.reader, [])
    except csv.Error as error:
        raise UserError(f"the first line of {path.name} is not CSV: {error}; {CURE}", field=FIELD) from None
    except TooLong:
        raise UserError(
            f"the first line of {path.name} is longer than {LONGEST >> 20} MiB; it should name the columns", field=FIELD
        ) from None
    if not header:
        raise UserError(f"{path.name} is empty; its first line should name the columns", field=FIELD)
    return header


def _csv_rows(path: Path, columns: list[str], funnel: Funnel) -> Iterator[Row]:
    with Records(path, LONGEST) as records:
        header = _header(records, path)
        place_of = {column: place for place, column in reversed([*enumerate(header)])}  # the first of equal names
        places = {column: place_of[column] for column in columns}
        start = 0
        try:
            while True:
                start = records.begin()
                try:
                    cells = next(records.reader, None)
                except TooLong:
                    funnel.source += 1
                    funnel.lose(TOO_LONG, f"line {start}")
                    records.skip()
                    continue
                if cells is None:
                    return
                if not cells:
                    continue
                funnel.source += 1
                if len(cells) == len(header):
                    yield Row(start, {column: cells[place] for column, place in places.items()})
                else:
                    funnel.lose(f"with other than {len(header)} cells", f"line {start} with {len(cells)}")
        except csv.Error as error:
            raise UserError(f"line {start} of {path.name} is not CSV: {error}; {CURE}", field=FIELD) from None


def parquet_file(path: Path, field: str = FIELD) -> Any:
    """A Parquet file, read piece by piece and not mapped: one that becomes shorter then ends no process.

    Raises UserError, with the setting `field`, where it is none, or a column of it unpacks to very much more than its
    size: a reader unpacks a whole cell before its length is known.
    """
    import pyarrow
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(path, pre_buffer=False, buffer_size=_PIECE, thrift_container_size_limit=_MOST_PARTS)
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise UserError(f"{path.name} is not a readable Parquet file: {error}", field=field) from None
    for group in map(file.metadata.row_group, range(file.metadata.num_row_groups)):
        for column in map(group.column, range(min(group.num_columns, MOST_COLUMNS))):
            unpacked = column.total_uncompressed_size
            if unpacked > FREE_OF_RATIO and unpacked > RATIO * column.total_compressed_size:
                raise UserError(
                    f"{path.name}: column {column.path_in_schema[:LONGEST_NAME]!r} unpacks to more than {RATIO} times "
                    "its size; leave it out, or write the file with shorter cells",
                    field=field,
                )
    return file


def _parquet_rows(path: Path, columns: list[str], funnel: Funnel) -> Iterator[Row]:
    import pyarrow

    number = 0
    try:
        # one row at a time: a batch could contain many huge cells; on other threads each would be waited for
        wanted = list(dict.fromkeys(columns))
        for batch in parquet_file(path).iter_batches(batch_size=1, columns=wanted, use_threads=False):
            number += 1
            funnel.source += 1
            if batch.nbytes > LONGEST:
                funnel.lose(TOO_LONG, f"row {number}")
                continue
            try:
                cells = {name: batch.column(name)[0].as_py() for name in batch.schema.names}
            except UnicodeDecodeError:
                funnel.lose("not UTF-8", f"row {number}")
            else:
                yield Row(number, cells)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError, OSError) as error:
        raise UserError(f"{path.name} is broken after row {number}: {error}", field=FIELD) from None


def _arrow(path: Path) -> Any:
    """Arrow's stream format, in which `datasets` saves; the file is mapped and not read."""
    import pyarrow

    try:
        return pyarrow.ipc.open_stream(pyarrow.memory_map(str(path)))
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise UserError(f"{path.name} is not a readable Arrow stream: {error}", field=FIELD) from None


def _arrow_rows(path: Path, columns: list[str], funnel: Funnel) -> Iterator[Row]:
    import pyarrow

    number, wanted = 0, list(dict.fromkeys(columns))
    try:
        for batch in _arrow(path):
            batch = batch.select(wanted)
            batch.validate(full=True)  # a stranger's file may point outside of itself
            for place in range(batch.num_rows):
                number += 1
                funnel.source += 1
                row = batch.slice(place, 1)
                if row.nbytes > LONGEST:
                    funnel.lose(TOO_LONG, f"row {number}")
                    continue
                try:
                    yield Row(number, {name: row.column(name)[0].as_py() for name in wanted})
                except UnicodeDecodeError:
                    funnel.lose("not UTF-8", f"row {number}")
    except (pyarrow.ArrowException, OSError) as error:
        raise UserError(f"{path.name} is broken after row {number}: {error}", field=FIELD) from None
