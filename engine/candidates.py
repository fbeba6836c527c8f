"""Patches that any program made, a JSON object a line, and the patched files that they stand for.

A row names its bug (`bug_id`) and has one of `function` (instead of the function that holds the faulty lines), `lines`
(instead of the faulty lines), `file` (the whole file) and `patch` (a unified diff of the file); null is no patch.
With `function` there may be `buggy_code`, what it takes the place of; with any, what `completion_of` reads.
`rank` orders the rows of a bug, the best first; without it they count in the order of the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.domain import Bug, Completion, Patch, Span, lines_of
from engine.errors import UserError
from engine.exchange.reading import WAYS, rows_in
from engine.languages.source import Source, source
from engine.params import shown
from engine.unified import DoesNotFit, applied

LARGEST_SCORE = 1e300  # no NaN, no infinity, and no integer beyond what a float holds


@dataclass(frozen=True)
class Candidate:
    """One row; `row` has all its fields, those that mean nothing here included."""

    number: int  # of the file's candidates, from 1
    line: int  # or row of the file, from 1
    bug_id: str
    way: str  # one of WAYS
    text: str | None  # None: there is no patch
    rank: float  # compared with the other rows of the bug only
    row: dict[str, Any]


def read_candidates(path: Path) -> list[Candidate]:
    """The rows in the order of the file, in any format of `engine.exchange`. Raises UserError naming file and line."""
    found = [_candidate(*row, number) for number, row in enumerate(rows_in(path), start=1)]
    if not found:
        raise UserError(f"file: {path} holds no rows", field="file")
    return found


def _candidate(where: str, line: int, row: dict[str, Any], number: int) -> Candidate:
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
    if not isinstance(rank, int | float | None) or isinstance(rank, bool) or rank != rank:  # the last: NaN has no order
        raise UserError(f"{where}: rank should be a number, got {shown(rank)}", field="file")
    return Candidate(number, line, bug_id, way, row[way], number if rank is None else rank, row)


def ids_of(bugs: Iterable[str]) -> Callable[[str], str]:
    """Finds the id of a bug under the name that another program gives it; a name that is none stays as it is.

    Others write "HumanEval/3" for humaneval/3, or leave out what stands before the slash.
    """
    known = set(bugs)
    short = Counter(_short(bug_id) for bug_id in known)
    by_short = {_short(bug_id): bug_id for bug_id in known if short[_short(bug_id)] == 1}
    sources = {_plain(bug_id.partition("/")[0]) for bug_id in known if "/" in bug_id}

    def find(bug_id: str) -> str:
        source, slash, _ = bug_id.partition("/")
        is_other = slash and _plain(source) not in sources
        return bug_id if bug_id in known or is_other else by_short.get(_short(bug_id), bug_id)

    return find


def benchmark_of(bug_id: str, names: Iterable[str]) -> str:
    """Which benchmark a bug's id begins with, as others write it too; empty if it is none of `names`."""
    source, slash, _ = bug_id.partition("/")
    return next((name for name in names if slash and _plain(name) == _plain(source)), "")


def _short(bug_id: str) -> str:
    """What stands behind the first slash, and without one all of it."""
    source, slash, rest = bug_id.partition("/")
    return (rest if slash else source).casefold()


def _plain(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()


def by_bug(candidates: Sequence[Candidate]) -> dict[str, list[Candidate]]:
    """Bug id -> its rows, the best first."""
    found: dict[str, list[Candidate]] = {}
    for candidate in sorted(candidates, key=lambda each: (each.rank, each.number)):
        found.setdefault(candidate.bug_id, []).append(candidate)
    return found


def completion_of(candidate: Candidate) -> Completion:
    """What was written, with its score and tokens where the row tells them (`score`, `tokens_written`, `tokens_read`).

    Another program's fields of these names that hold something else tell nothing.
    """
    row = candidate.row
    text = row.get("completion")
    return Completion(
        text if isinstance(text, str) else candidate.text or "",
        _score(row.get("score")),
        _tokens(row.get("tokens_written")),
        _tokens(row.get("tokens_read")),
    )


def _score(value: object) -> float | None:
    is_score = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST_SCORE
    return float(value) if is_score else None  # type: ignore[arg-type]


def _tokens(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 else None


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
        return _instead(candidate.row.get("buggy_code"), text, bug) or _with_function(bug, text)
    try:
        return Patch(bug.id, applied(bug.buggy, text, bug.path))
    except DoesNotFit as reason:
        return Patch(bug.id, None, str(reason))


def _instead(old: Any, new: str, bug: Bug) -> Patch | None:
    """`new` instead of `old`; None where `old` does not stand in the file, or more than once."""
    is_there = isinstance(old, str) and old and bug.buggy.count(old) == 1
    return Patch(bug.id, bug.buggy.replace(old, new)) if is_there else None


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
