"""Lengths of texts in tokens, and the first or last tokens of a text, whatever tokenizer is given."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

Ends = Callable[[str], Sequence[int]]  # text -> the character after each of its tokens
_PIECE = re.compile(r"\s*(?:\w+|[^\w\s]|$)")
_GUESS = 8  # characters of a token at most, as a first guess: most of a long text is never tokenised


def words(text: str) -> list[int]:
    """Where the words and signs of a text end, each with the white space before it."""
    return [match.end() for match in _PIECE.finditer(text) if match.end() > match.start()]


class Lengths:
    """Counts and cuts by one tokenizer; without one, by words and signs, which are fewer than a model's tokens."""

    def __init__(self, ends: Ends = words) -> None:
        self._ends = ends

    def count(self, text: str) -> int:
        """The tokens of a text."""
        return len(self._ends(text)) if text else 0

    def first(self, text: str, n: int) -> str:
        """The first `n` tokens of a text; all of it where it has no more, nothing of it for 0."""
        window = _GUESS * n
        while n > 0:
            ends = self._ends(text[:window])
            if len(ends) > n:
                return text[: ends[n - 1]]
            if window >= len(text):
                return text
            window *= 2
        return ""

    def last(self, text: str, n: int) -> str:
        """The last `n` tokens of a text; all of it where it has no more, nothing of it for 0.

        `x[-0:]` would be all of it.
        """
        window = _GUESS * n
        while n > 0:
            start = max(0, len(text) - window)
            part = text[start:]
            ends = self._ends(part)
            if len(ends) > n:
                return part[ends[-n - 1] :]
            if not start:
                return text
            window *= 2
        return ""
