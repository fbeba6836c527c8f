"""Unified diffs of whole files; fast if most of both files is the same."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from engine.domain import lines_of

CONTEXT = 3  # lines around each change
NEWLINE = "\n"
NO_END = "\n\\ No newline at end of file\n"


def unified(before: str, after: str, path: str) -> str:
    """A unified diff as `git apply` reads it; empty if both texts are the same."""
    if before == after:
        return ""
    head, tail = _same(before, after)  # only the part between these is compared
    at, end = _lines_before(before, head), _lines_after(before, len(before) - tail)
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    above, below = before[at:head], before[len(before) - tail : end]
    names, skipped = f"--- a/{path}\n+++ b/{path}\n", before.count("\n", 0, at)
    if set(old.split("\n")[:-1]).isdisjoint(new.split("\n")[:-1]):  # nothing in between is the same: one change
        return names + _one_hunk(above, old, new, below, skipped)
    return names + "".join(_several_hunks(lines_of(above + old + below), lines_of(above + new + below), skipped))


def new_lines(before: str, after: str) -> str:
    """The lines of `after` from the first to the last one that differs from `before`."""
    head, tail = _same(before, after)
    return after[head : len(after) - tail]


def _one_hunk(above: str, old: str, new: str, below: str, skipped: int) -> str:
    """The hunk of one change, made of whole lines at a time; `skipped`: lines of the file before it."""
    around = _count(above) + _count(below)
    spans = f"@@ -{_span(0, around + _count(old), skipped)} +{_span(0, around + _count(new), skipped)} @@\n"
    return "".join((spans, _marked(" ", above), _marked("-", old), _marked("+", new), _marked(" ", below)))


def _count(text: str) -> int:
    return text.count("\n") + (text[-1:] not in ("", "\n"))


def _marked(sign: str, text: str) -> str:
    """Lines with `sign` before each; a last one without an end is marked as `git apply` expects."""
    if not text:
        return ""
    end = "\n" if text[-1] == "\n" else NO_END
    return f"{sign}{text.removesuffix(NEWLINE).replace(NEWLINE, NEWLINE + sign)}{end}"


def _several_hunks(old: Sequence[str], new: Sequence[str], skipped: int) -> Iterator[str]:
    """The hunks between two lists of lines, as difflib finds them; `skipped`: lines of the file before both."""
    for hunk in difflib.SequenceMatcher(None, old, new).get_grouped_opcodes(CONTEXT):
        first, last = hunk[0], hunk[-1]
        yield f"@@ -{_span(first[1], last[2], skipped)} +{_span(first[3], last[4], skipped)} @@\n"
        for tag, a, b, c, d in hunk:
            if tag == "equal":
                yield _marked(" ", "".join(old[a:b]))
            else:
                yield _marked("-", "".join(old[a:b])) + _marked("+", "".join(new[c:d]))


def _same(a: str, b: str) -> tuple[int, int]:
    """How many characters at the start, and at the end, are the same in both texts, in whole lines."""
    n, m = len(a), len(b)
    low, high = 0, min(n, m)
    while low < high:  # a binary search: slices are compared much faster than single characters
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    head = a.rfind("\n", 0, low) + 1
    low, high = 0, min(n, m) - head
    while low < high:
        middle = (low + high + 1) // 2
        if a[n - middle : n - low] == b[m - middle : m - low]:
            low = middle
        else:
            high = middle - 1
    starts_a_line = (n - low == head or a[n - low - 1] == "\n") and (m - low == head or b[m - low - 1] == "\n")
    if low and not starts_a_line:
        low = n - (a.find("\n", n - low) + 1 or n)
    return head, low


def _lines_before(text: str, at: int) -> int:
    """The index CONTEXT lines before the start of a line."""
    for _ in range(CONTEXT):
        at = text.rfind("\n", 0, max(at - 1, 0)) + 1
    return at


def _lines_after(text: str, at: int) -> int:
    """The index CONTEXT lines after the start of a line."""
    for _ in range(CONTEXT):
        at = text.find("\n", at) + 1 or len(text)
    return at


def _span(start: int, stop: int, skipped: int) -> str:
    """Lines start..stop (from 0, after `skipped` lines) in the notation of a hunk's header."""
    length = stop - start
    first = start + skipped + (1 if length else 0)
    return f"{first}" if length == 1 else f"{first},{length}"
