"""As many of the lines that are told as a number of tokens allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.failures.telling import KINDS, Part

Count = Callable[[str], int]  # the length of a text in tokens


def most_tokens(text: str) -> int:
    """What no tokenizer of bytes exceeds, whatever its vocabulary: a token for each byte."""
    return len(text.encode("utf-8", "replace"))


def fitting(parts: Sequence[Part], tokens: int, count: Count) -> str:
    """The text of the parts, without those that are dropped first where all are more than `tokens`.

    Parts go by their kind, the last of KINDS first, and among those of a kind the last one. Of the headline, if it
    alone is too long, its beginning is kept.
    """
    order = sorted(range(len(parts)), key=lambda at: (KINDS.index(parts[at].kind), at))

    def text(number: int) -> str:
        kept = sorted(order[:number])
        return "\n".join(parts[at].text for at in kept)

    most = _most(lambda number: count(text(number)) <= tokens, len(order))
    if most or not parts:
        return text(most)
    headline = parts[order[0]].text
    return headline[: _most(lambda chars: count(headline[:chars]) <= tokens, len(headline))]


def _most(fits: Callable[[int], bool], most: int) -> int:
    """The largest number up to `most` that fits, or nearly: longer texts have more tokens, but for a few."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low
