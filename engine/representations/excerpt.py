"""A part of a file in place of the whole, for a prompt that does not fit: the lines around the fault, as many as fit.

An excerpt is a bug of its own, so every representation shows it as it shows any file; patches are of the whole file.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace

from engine.domain import Bug, Patch, Prompt, Sample, Span, lines_of
from engine.languages.source import source
from engine.representations import CannotShow, Representation


class Excerpt:
    """A representation that is given only the lines `window` of a bug's file, which hold its span."""

    def __init__(self, shown: Representation, window: Span) -> None:
        self.name = shown.name
        self.window = window
        self._shown = shown

    def encode(self, bug: Bug, notes: Sequence[str] = ()) -> Sample:
        part = self._part(bug)
        sample = self._shown.encode(part, notes)
        if bug.patched(part.fixed, self.window) != bug.fixed:
            raise CannotShow("the fix changes how lines end")
        return sample

    def trim(self, completion: str, bug: Bug) -> str:
        return self._shown.trim(completion, self._part(bug))

    def decode(self, completion: str, bug: Bug) -> Patch:
        patch = self._shown.decode(completion, self._part(bug))
        return patch if patch.text is None else replace(patch, text=bug.patched(patch.text, self.window))

    def for_vocabulary(self, vocabulary: frozenset[str] | None) -> Excerpt:
        return Excerpt(self._shown.for_vocabulary(vocabulary), self.window)

    def _part(self, bug: Bug) -> Bug:
        """The window as a file of its own."""
        lines, first = lines_of(bug.buggy), self.window.start - 1
        before = "".join(lines[first : bug.span.start - 1])
        after = "".join(lines[bug.span.end : self.window.end])
        return replace(
            bug,
            buggy=before + bug.buggy_lines + after,
            fixed=before + bug.fixed_lines + after,
            span=Span(bug.span.start - first, bug.span.end - first),
        )


def longest_excerpt(bug: Bug, shown: Representation, tokens: Callable[[Prompt], int], room: int) -> Excerpt | None:
    """The excerpt with the most lines whose prompt has at most `room` tokens; None if even the span alone has more.

    It grows by as many lines above as below: around the whole function if that fits, else around the span. How many is
    found by bisection, so a larger one that happens to be shorter in tokens may be missed.
    """
    function = source(bug.buggy, bug.language).enclosing(bug.span)
    for middle in (function, bug.span):
        if middle is not None and (found := _longest_around(middle, bug, shown, tokens, room)):
            return found
    return None


def _longest_around(
    middle: Span, bug: Bug, shown: Representation, tokens: Callable[[Prompt], int], room: int
) -> Excerpt | None:
    end = len(lines_of(bug.buggy))

    def grown(more: int) -> Excerpt:
        return Excerpt(shown, Span(max(1, middle.start - more), min(end, middle.end + more)))

    def length(more: int) -> float:
        try:
            return tokens(grown(more).encode(bug).prompt)
        except CannotShow:
            return math.inf

    most = max(middle.start - 1, end - middle.end)
    fitting = bisect_right(range(most + 1), float(room), key=length)
    return grown(fitting - 1) if fitting else None
