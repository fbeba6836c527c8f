"""Patches that any program made, a JSON object a line, and the patched files that they stand for.

A row names its bug (`bug_id`) and has one of `function` (instead of the function that holds the faulty lines), `lines`
(instead of the faulty lines), `file` (the whole file) and `patch` (a unified diff of the file); null is no patch.
`rank` orders the rows of a bug, the best first; without it they count in the order of the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from engine.domain import Bug, Patch, Span, lines_of
from engine.errors import UserError
from engine.languages.source import Source, source
from engine.params import shown
from engine.unified import DoesNotFit, applied

WAYS = ("function", "lines", "file", "patch")
LONGEST = 16 << 20  # bytes of a row


@dataclass(frozen=True)
class Candidate:
    """One row; `row` has all its fields, those that mean nothing here included."""

    line: int  # of the file, from 1
    bug_id: str
    way: str  # one of WAYS
    text: str | None  # None: there is no patch
    rank: float  # compared with the other rows of the bug only
    row: dict[str, Any]


def read_candidates(path: Path) -> list[Candidate]:
    """The rows in the order of the file. Raises UserError naming file and line."""
    try:
        with path.open("rb") as file:
            found = [_candidate(row, f"{path.name}, line {line}", line) for line, row in _rows(file, path.name)]
    except OSError as error:
        raise UserError(f"file: {path} cannot be read: {error.strerror}", field="file") from None
    if not found:
        raise UserError(f"file: {path} holds no rows", field="file")
    return found


def _rows(file: Any, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
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
        if not isinstance(row, dict):
            raise UserError(f"{where}: expected an object with bug_id and a patch, got {shown(row)}", field="file")
        yield number, row


def _candidate(row: dict[str, Any], where: str, line: int) -> Candidate:
    bug_id, rank = row.get("bug_id"), row.get("rank")
    if not isinstance(bug_id, str) or not bug_id:
        raise UserError(f"{where}: bug_id should name a bug, got {shown(bug_id)}", field="file")
    ways = [way for way in WAYS if way in row]
    given = [way for way in ways if row[way] is not None]
    if not ways or len(given) > 1:
        raise UserError(f"{where}: one of {', '.join(WAYS)}, got {', '.join(given) or 'none of them'}", field="file")
    way = (given or ways)[0]
    if not isinstance(row[way], str | None):
        raise UserError(f"{where}: {way} should be a text or null, got {shown(row[way])}", field="file")
    if not isinstance(rank, int | float | None) or isinstance(rank, bool):
        raise UserError(f"{where}: rank should be a number, got {shown(rank)}", field="file")
    return Candidate(line, bug_id, way, row[way], line if rank is None else rank, row)


def by_bug(candidates: Sequence[Candidate]) -> dict[str, list[Candidate]]:
    """Bug id -> its rows, the best first."""
    found: dict[str, list[Candidate]] = {}
    for candidate in sorted(candidates, key=lambda each: (each.rank, each.line)):
        found.setdefault(candidate.bug_id, []).append(candidate)
    return found


def patch_of(candidate: Candidate, bug: Bug) -> Patch:
    """The patched file, or why there is none; never raises on any text."""
    text = candidate.text
    if text is None:
        return Patch(bug.id, None, "the row holds no patch")
    if candidate.way == "file":
        return Patch(bug.id, text)
    if candidate.way == "lines":
        return Patch(bug.id, bug.patched(text))
    if candidate.way == "function":
        return _with_function(bug, text)
    try:
        return Patch(bug.id, applied(bug.buggy, text, bug.path))
    except DoesNotFit as reason:
        return Patch(bug.id, None, str(reason))


def _with_function(bug: Bug, text: str) -> Patch:
    read = source(bug.buggy, bug.language)
    place = read.enclosing(bug.span)
    if place is None:
        where = f"{bug.span.start} to {bug.span.end}" if bug.buggy_lines else f"before {bug.span.start}"
        return Patch(bug.id, None, f"no function holds the faulty lines ({where}); give lines, file or patch")
    if bug.language == "python":
        text = _as_deep(text, read.lines[place.start - 1])
        if not text.lstrip().startswith("@"):  # a function that is named without its decorators keeps them
            place = Span(_first_after_decorators(read, place), place.end)
    return Patch(bug.id, bug.patched(text, place))


def _first_after_decorators(read: Source, place: Span) -> int:
    rows = range(place.start, place.end + 1)
    return next((row for row in rows if read.lines[row - 1].lstrip().startswith(("def ", "async "))), place.start)


def _as_deep(text: str, line: str) -> str:
    """Python code moved to the indent of `line`; lines inside a string stay where they are."""
    wanted, has = _indent(line), _indent(next((each for each in lines_of(text) if each.strip()), ""))
    if wanted == has:
        return text
    inside = Source(text, "python").rows_inside_strings
    return "".join(
        each if row in inside or not each.strip() else wanted + each.removeprefix(has)
        for row, each in enumerate(lines_of(text))
    )


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]
