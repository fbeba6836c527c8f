"""Unified diffs of whole files; fast if most of both files is the same."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from engine.domain import lines_of

CONTEXT = 3  # lines around each change
Opcode = tuple[str, int, int, int, int]  # tag, range of lines in the old text, range of lines in the new text


def unified(before: str, after: str, path: str) -> str:
    """A unified diff as `git apply` reads it; empty if both texts are the same."""
    if before == after:
        return ""
    head, tail = _same(before, after)  # only the part between these is compared
    shown, end = _lines_before(before, head), _lines_after(before, len(before) - tail)
    left_out = len(before) - end  # characters after the last line that is shown
    old, new = _lines(before[shown:end]), _lines(after[shown : len(after) - left_out])
    n_head = before.count("\n", shown, head)
    n_tail = len(_lines(before[len(before) - tail : end]))
    skipped = before.count("\n", 0, shown)
    lines = [f"--- a/{path}\n+++ b/{path}\n"]
    for hunk in _hunks(old, new, n_head, n_tail):
        first, last = hunk[0], hunk[-1]
        lines.append(f"@@ -{_span(first[1], last[2], skipped)} +{_span(first[3], last[4], skipped)} @@\n")
        for tag, a, b, c, d in hunk:
            if tag == "equal":
                lines += [f" {line}" for line in old[a:b]]
            else:
                lines += [f"-{line}" for line in old[a:b]]
                lines += [f"+{line}" for line in new[c:d]]
    return "".join(lines)


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


def _lines(text: str) -> list[str]:
    """Lines with their ends; a last one without an end is marked as `git apply` expects."""
    lines = lines_of(text)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n\\ No newline at end of file\n"
    return lines


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


def _hunks(old: Sequence[str], new: Sequence[str], head: int, tail: int) -> Sequence[Sequence[Opcode]]:
    """Like difflib's; `head` lines at the start and `tail` lines at the end are known to be the same."""
    ends = len(old) - tail, len(new) - tail
    if not set(old[head : ends[0]]) & set(new[head : ends[1]]):  # nothing in between is the same: one change
        start = [("equal", 0, head, 0, head)] if head else []
        end = [("equal", ends[0], len(old), ends[1], len(new))] if tail else []
        return [[*start, ("replace", head, ends[0], head, ends[1]), *end]]
    return list(difflib.SequenceMatcher(None, old, new).get_grouped_opcodes(CONTEXT))


def _span(start: int, stop: int, skipped: int) -> str:
    """Lines start..stop (from 0, after `skipped` lines) in the notation of a hunk's header."""
    length = stop - start
    first = start + skipped + (1 if length else 0)
    return f"{first}" if length == 1 else f"{first},{length}"
