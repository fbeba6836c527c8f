"""The one function that a change is in, taken out of the files before and after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.domain import Span
from engine.languages.source import Function, Source

OUTSIDE = "changes lines outside functions"
SEVERAL = "changes more than one function"
MOVED = "its function begins or ends elsewhere after the fix"
SYNTAX = "its function has a syntax error"


@dataclass(frozen=True)
class Change:
    """Lines `old_first` up to, not including, `old_after` become the lines `new_first` to `new_after`; from 0."""

    old_first: int
    old_after: int
    new_first: int
    new_after: int

    def reversed(self) -> Change:
        """The change back."""
        return Change(self.new_first, self.new_after, self.old_first, self.old_after)

    def moved(self, old: int, new: int) -> Change:
        """The same change so many lines further down in each of both files."""
        return Change(self.old_first + old, self.old_after + old, self.new_first + new, self.new_after + new)


@dataclass(frozen=True)
class Changed:
    """One function before and after a change, as it stands in its file."""

    name: str
    old: str
    new: str
    first: int  # its first line in the old file, from 1


def changed_function(old: Source, new: Source, changes: Sequence[Change]) -> Changed | str:
    """The function that holds all `changes`, or a reason to count by why there is none.

    Functions inside functions belong to the outer one. `changes` are all that differs, in the order of the file.
    """
    before = _holding(old, [Span(each.old_first + 1, each.old_after) for each in changes])
    after = _holding(new, [Span(each.new_first + 1, each.new_after) for each in changes])
    if isinstance(before, str):
        return before
    if isinstance(after, str):
        return after
    first, last = changes[0], changes[-1]
    head = first.old_first - before.span.start == first.new_first - after.span.start
    if not head or before.span.end - last.old_after != after.span.end - last.new_after:
        return MOVED
    if before.has_error or after.has_error:
        return SYNTAX
    return Changed(before.name, _text(old, before.span), _text(new, after.span), before.span.start)


def _holding(read: Source, spans: Sequence[Span]) -> Function | str:
    found = {read.enclosing(span) for span in spans}
    if None in found:
        return OUTSIDE
    if len(found) > 1:
        return SEVERAL
    return next(each for each in read.functions if each.span in found)


def _text(read: Source, span: Span) -> str:
    return "".join(read.lines[span.start - 1 : span.end])
