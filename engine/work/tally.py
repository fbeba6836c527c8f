"""What is in a dataset, counted row by row: kinds of fault, tokens, and how long the samples are.

The histogram holds every tokenised sample, those over the cap too, so that moving the cap can be judged;
`counts[i]` are the samples of `edges[i]` up to, not including, `edges[i + 1]` tokens, and the last takes all above.
"""

from __future__ import annotations

from collections import Counter

from engine.training_set import Row

_BINS = 64  # half of them up to the cap, half above


class Tally:
    """Counts the rows that keep to a cap, in tokens, and measures all."""

    def __init__(self, max_tokens: int) -> None:
        self.n_rows = 0
        self._cap = max_tokens
        self._width = -(-max_tokens // (_BINS // 2))
        self._counts = [0] * _BINS
        self._kinds: Counter[str] = Counter()
        self._tokens = self._learned = self._longest = 0

    def fits(self, row: Row) -> bool:
        """Whether the row keeps to the cap; counts it."""
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
        """Of the rows kept, except for the histogram: kinds, histogram, max_tokens, mean_tokens, learned_tokens."""
        return {
            "kinds": dict(self._kinds.most_common()),
            "histogram": {"edges": [self._width * i for i in range(_BINS + 1)], "counts": self._counts},
            "max_tokens": self._longest,
            "mean_tokens": round(self._tokens / max(1, self.n_rows), 1),
            "learned_tokens": self._learned,
        }
