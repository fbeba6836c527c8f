"""Reads a file of patches, whoever wrote it: JSON lines, JSON, CSV or Parquet, in any format that is known.

The first row tells the format, by its fields; each row becomes one or several of ours (`engine.candidates`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from engine.builders import Funnel
from engine.builders.rows import columns_of, rows_of
from engine.errors import UserError
from engine.exchange import elle_elle_aime, human_eval, own, repairllama, swe_bench
from engine.exchange.imported import LONGEST_WHO, Reader
from engine.params import shown

WAYS = ("function", "lines", "file", "patch")  # of giving a patch, in a row of ours
OURS = Reader("rows of patches", ("bug_id",), lambda row: iter((row,)), who="maker")
OTHERS = (own.READER, swe_bench.READER, *human_eval.READERS, *elle_elle_aime.READERS, repairllama.READER)
LONGEST = 16 << 20  # bytes of a row
LARGEST = 512 << 20  # bytes of a file that is one JSON value
LOOKED_AT = 50  # rows, until one tells who made the patches and whether there are verdicts

Row = tuple[str, int, dict[str, Any]]  # where it stands, in words; the number of its line or row; its fields


@dataclass(frozen=True)
class Recognised:
    """What the first rows of a file tell."""

    title: str  # of the format
    has_verdicts: bool
    who: str  # who made the patches; empty if it is not said
    bug_id: str  # of the first patch


def recognised(path: Path) -> Recognised:
    """The format of a file. Raises UserError if it is none that is known, or its first row makes no sense."""
    rows = _rows(path)
    found = list(islice(rows, LOOKED_AT))
    reader = _reader(found[0]) if found else OURS
    read = [row for each in found for _, _, row in _read(reader, each)]
    who = next((row[reader.who] for row in read if isinstance(row.get(reader.who), str)), "")
    if not read:
        raise UserError(f"file: {path.name} holds no patches", field="file")
    has_verdicts = any(row.get("outcome") for row in read)
    return Recognised(reader.title, has_verdicts, who[:LONGEST_WHO], str(read[0].get("bug_id", "")))


def rows_in(path: Path) -> Iterator[Row]:
    """The rows as ours, in the order of the file. Raises UserError naming file and line."""
    reader: Reader | None = None
    for each in _rows(path):
        reader = reader or _reader(each)
        yield from _read(reader, each)


def _reader(row: Row) -> Reader:
    where, _, fields = row
    if "bug_id" in fields and any(way in fields for way in WAYS):
        return OURS
    for reader in OTHERS:
        if reader.knows(fields):
            return reader
    if "bug_id" in fields:
        return OURS  # which says what is missing
    known = "; ".join(f"{', '.join(reader.needs)} ({reader.title})" for reader in OTHERS)
    raise UserError(
        f"{where}: these are no patches in a known format: the fields are {_names(fields)}. Known are bug_id with "
        f"one of {', '.join(WAYS)}; {known}",
        field="file",
    )


def _names(fields: Mapping[str, Any]) -> str:
    return shown(", ".join(map(str, fields))) if fields else "none"


def _read(reader: Reader, row: Row) -> Iterator[Row]:
    where, number, fields = row
    if missing := [name for name in reader.needs if name not in fields]:
        if reader is OURS:
            yield row  # `engine.candidates` says what is wrong
            return
        raise UserError(f"{where}: {reader.title} have {', '.join(missing)}, and this row has not", field="file")
    try:
        yield from ((where, number, each) for each in reader.read(fields))
    except (ValueError, TypeError) as error:
        raise UserError(f"{where}: {error}; the file looks like {reader.title}", field="file") from None


def _rows(path: Path) -> Iterator[Row]:
    """Raises UserError on a file that cannot be read."""
    try:
        if path.suffix.lower() in (".csv", ".parquet"):
            yield from _table(path)
        else:
            yield from _json(path)
    except OSError as error:
        raise UserError(f"file: {path} cannot be read: {error.strerror}", field="file") from None


def _table(path: Path) -> Iterator[Row]:
    funnel, is_csv = Funnel(), path.suffix.lower() == ".csv"
    unit = "line" if is_csv else "row"
    try:
        for row in rows_of(path, columns_of(path), funnel):
            cells = {name: _cell(name, value) for name, value in row.cells.items()} if is_csv else row.cells
            yield f"{path.name}, {unit} {row.number}", row.number, cells
    except UserError as error:
        raise UserError(str(error), field="file") from None
    for reason, lost in funnel.lost.items():
        raise UserError(f"{path.name}: {lost} {reason} (first: {funnel.examples.get(reason, '')})", field="file")


def _cell(name: str, value: Any) -> Any:
    """A cell of a CSV file as it was before it was written: see `own.write_csv`."""
    if isinstance(value, str) and value[:1] == "'" and value[1:2] in own.FORMULAS:
        value = value[1:]
    if name in WAYS:
        return value or None
    return _number(value) if name == "rank" else value


def _number(text: Any) -> Any:
    try:
        return float(text)
    except (TypeError, ValueError):
        return text


def _json(path: Path) -> Iterator[Row]:
    with path.open("rb") as file:
        start = file.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n")
        if start[:1] == b"[" or path.suffix.lower() == ".json":
            file.seek(0)
            if (values := _value(file.read(LARGEST + 1))) is not None:
                for number, row in enumerate(values, start=1):
                    yield f"{path.name}, row {number}", number, _object(row, f"{path.name}, row {number}")
                return
        file.seek(0)
        yield from _lines(file, path.name)


def _value(text: bytes) -> list[Any] | None:
    """The rows of a JSON value: a list, or a table of objects by id; None if it is neither."""
    try:
        found = from_json(text.removeprefix(b"\xef\xbb\xbf"), allow_inf_nan=False) if len(text) <= LARGEST else None
    except ValueError:
        return None
    if isinstance(found, dict) and found and all(isinstance(row, dict) for row in found.values()):
        return list(found.values())
    return found if isinstance(found, list) else None


def _lines(file: Any, name: str) -> Iterator[Row]:
    number = 0
    while line := file.readline(LONGEST + 1):
        number += 1
        where = f"{name}, line {number}"
        if len(line) > LONGEST:
            raise UserError(f"{where}: longer than {LONGEST:,} bytes", field="file")
        if not line.strip():
            continue
        try:
            row = from_json(line.removeprefix(b"\xef\xbb\xbf"), allow_inf_nan=False)
        except ValueError as error:
            raise UserError(f"{where}: not JSON: {error}; each line holds one object", field="file") from None
        yield where, number, _object(row, where)


def _object(row: Any, where: str) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise UserError(f"{where}: expected an object with bug_id and a patch, got {shown(row)}", field="file")
    return row
