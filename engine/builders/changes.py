"""The functions that a change is in, taken out of the files before and after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.changed_lines import Change
from engine.domain import Span
from engine.languages.source import Function, Source

OUTSIDE = "changes lines outside functions"
SEVERAL = "changes more than one function"
MOVED = "its function begins or ends elsewhere after the fix"
SYNTAX = "its function has a syntax error"


@dataclass(frozen=True)
class Changed:
    """One function before and after a change, as it stands in its file."""

    name: str
    old: str
    new: str
    first: int  # its first line in the old file, from 1
    n_changes: int  # places in it that differ


def changed_functions(old: Source, new: Source, changes: Sequence[Change]) -> list[Changed] | str:
    """The functions that hold all `changes`, or a reason to count by why they do not.

    Functions inside functions belong to the outer one. `changes` are all that differs, in the order of the file; what
    changes outside functions does not count if it is imports, blank lines and comments alone.
    """
    places = []
    for each in changes:
        before = old.enclosing(Span(each.old_first + 1, each.old_after))
        if before is not None:
            places.append((before, each))
        elif not _is_no_code(old, new, each):
            return OUTSIDE
    found: dict[tuple[Span, Span], list[Change]] = {}
    for before, each in places:  # the new file is parsed only if the old one has functions at all these places
        after = new.enclosing(Span(each.new_first + 1, each.new_after))
        if after is not None:
            found.setdefault((before, after), []).append(each)
        elif not _is_no_code(old, new, each):
            return OUTSIDE
    if not found:
        return OUTSIDE
    made: list[Changed] = []
    for (before, after), own in found.items():
        function, fixed = _at(old, before), _at(new, after)
        if function.has_error or fixed.has_error:
            return SYNTAX
        first, last = own[0], own[-1]
        is_same_head = first.old_first - before.start == first.new_first - after.start
        if not is_same_head or before.end - last.old_after != after.end - last.new_after:
            return MOVED
        made.append(Changed(function.name, _text(old, before), _text(new, after), before.start, len(own)))
    return made


def changed_function(old: Source, new: Source, changes: Sequence[Change]) -> Changed | str:
    """The one function that holds all `changes`, or a reason why there is none; see `changed_functions`."""
    found = changed_functions(old, new, changes)
    if isinstance(found, str):
        return found
    return found[0] if len(found) == 1 else SEVERAL


def _is_no_code(old: Source, new: Source, change: Change) -> bool:
    lines = old.lines[change.old_first : change.old_after] + new.lines[change.new_first : change.new_after]
    return all(old.language.no_code.match(line) for line in lines)


def _at(read: Source, span: Span) -> Function:
    return next(each for each in read.functions if each.span == span)


def _text(read: Source, span: Span) -> str:
    return "".join(read.lines[span.start - 1 : span.end])
