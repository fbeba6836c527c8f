"""The function that a fault is in, the lines of it that the fix changes, and edits of it put back into its file.

The rule is that of RepairLLaMA (arXiv 2312.15698): the lines of the faulty and of the fixed function are compared as
`difflib.unified_diff` compares them, and the region is all lines from the first to the last changed one of either sign.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from engine.changed_lines import Change
from engine.domain import Bug, Span, lines_of
from engine.languages.source import source
from engine.representations.line_ends import as_in_file


@dataclass(frozen=True)
class Region:
    """The lines that the fix changes, with all between them."""

    span: Span  # of the faulty file
    fixed: str  # what stands in their place in the fixed file
    first: str  # the first changed line, of whichever sign


@dataclass(frozen=True)
class Lines:
    """Lines of a function as they are shown, and the row of the file, from 0, where each of them stands."""

    texts: Sequence[str]
    rows: Sequence[int]


Edit = tuple[int, int, str]  # lines start:end of those that are shown, and the lines to stand there


def changes(old: Sequence[str], new: Sequence[str]) -> Sequence[Change]:
    """The changed lines of a unified diff, in order."""
    return _changes(tuple(old), tuple(new))


@lru_cache(maxsize=8)  # the region and the diff of a fix are made of the same
def _changes(old: tuple[str, ...], new: tuple[str, ...]) -> Sequence[Change]:
    found = SequenceMatcher(None, old, new).get_opcodes()
    return tuple(Change(*places) for kind, *places in found if kind != "equal")


def whole_of(bug: Bug) -> Span:
    """All lines of the faulty file."""
    return Span(1, len(lines_of(bug.buggy)))


def function_of(bug: Bug) -> Span:
    """The lines of the function that the fault is in; all lines where it is in none, or the text is one function."""
    place = None if bug.is_function else source(bug.buggy, bug.language).enclosing(bug.span)
    return place or whole_of(bug)


def in_fixed(bug: Bug, place: Span) -> Span:
    """Where the lines `place` of the faulty file, which hold the fault, are in the fixed one."""
    more = len(lines_of(bug.fixed)) - len(lines_of(bug.buggy))
    return Span(place.start, max(place.start - 1, place.end + more))


@lru_cache(maxsize=8)  # one bug's is needed for its prompt, its target and each of its candidates
def region_of(bug: Bug, place: Span) -> Region:
    """The lines of the function at `place` that the fix changes; the bug's own span where it changes none."""
    old = lines_of(bug.buggy)[place.start - 1 : place.end]
    fixed = in_fixed(bug, place)
    new = lines_of(bug.fixed)[fixed.start - 1 : fixed.end]
    found = changes(old, new)
    if not found:
        return Region(bug.span, bug.fixed_lines, bug.buggy_lines)
    first, last = found[0], found[-1]
    span = Span(place.start + first.old_first, place.start - 1 + last.old_after)
    is_addition = first.old_first == first.old_after
    line = new[first.new_first] if is_addition else old[first.old_first]
    return Region(span, "".join(new[first.new_first : last.new_after]), line)


def shown(text: str, language: str, place: Span, *, strip: bool) -> Lines:
    """The lines `place` of a file; with `strip` without comments, docstrings and blank lines."""
    read = source(text, language)
    lines: Sequence[str | None] = read.bare_lines if strip else read.lines
    kept = [(line, row) for row, line in enumerate(lines) if place.start - 1 <= row < place.end and line is not None]
    return Lines([line for line, _ in kept], [row for _, row in kept])


def edited(bug: Bug, lines: Lines, edits: Iterable[Edit]) -> str:
    """The faulty file after edits of the lines that are shown, in their order.

    Lines that are not shown stay, but for those between two that are replaced together. What is inserted next to them
    goes as near to the fault as it can.
    """
    old = lines_of(bug.buggy)
    made: list[str] = []
    done = 0  # rows of the file that are in `made`, or were replaced
    for start, end, text in edits:
        if start < end:
            first, last = lines.rows[start], lines.rows[end - 1] + 1
        else:
            lowest = lines.rows[start - 1] + 1 if start else 0
            highest = lines.rows[start] if start < len(lines.rows) else len(old)
            first = last = max(done, min(max(bug.span.start - 1, lowest), highest))
        made += [*old[done:first], *lines_of(as_in_file(text, bug))]
        done = last
    made += old[done:]
    end_of_line = "\r\n" if bug.is_crlf else "\n"
    return "".join([*(line if line.endswith("\n") else line + end_of_line for line in made[:-1]), *made[-1:]])
