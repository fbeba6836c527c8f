"""Counts what is in a dataset, row by row: kinds of fault, tokens, and lengths of samples.

The histogram includes every tokenised sample, even those over the cap, so that its effect can be seen; `counts[i]` is
the number of samples of `edges[i]` up to, not including, `edges[i + 1]` tokens; the last one includes all longer ones.
"""

from __future__ import annotations

from collections import Counter

from engine.training_set import Row

_BINS = 64  # half of them up to the cap, half above


class Tally:
    """Counts the rows of at most `max_tokens` tokens, and the lengths of all."""

    def __init__(self, max_tokens: int) -> None:
        self.n_rows = 0
        self._cap = max_tokens
        self._width = -(-max_tokens // (_BINS // 2))
        self._counts = [0] * _BINS
        self._kinds: Counter[str] = Counter()
        self._tokens = self._learned = self._longest = 0

    def fits(self, row: Row) -> bool:
        """Whether the row is within the cap; counts it."""
        self._counts[min(row.n_tokens // self._width, _BINS - 1)] += 1
        if row.n_tokens > self._cap:
            return False
        self.n_rows += 1
        self._kinds[row.kind] += 1
        self._tokens += row.n_tokens
        self._learned += sum(row.learned[1::2]) - sum(row.learned[::2])
        self._longest = max(self._longest, row.n_tokens)
        return True

    def report(self) -> dict[str, object]:
        """kinds, histogram, max_tokens, mean_tokens, learned_tokens; of the rows within the cap, but for histogram."""
        return {
            "kinds": dict(self._kinds.most_common()),
            "histogram": {"edges": [self._width * i for i in range(_BINS + 1)], "counts": self._counts},
            "max_tokens": self._longest,
            "mean_tokens": round(self._tokens / max(1, self.n_rows), 1),
            "learned_tokens": self._learned,
        }
