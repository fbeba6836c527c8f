"""How the rows of each optimizer step are divided into the batches that are computed at a time.

All of it follows from the rows' lengths before the first step, so a resumed run has the same batches. A step has the
same rows, and its loss the same divisor, however they are divided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Lengths = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Division:
    """The rule by which a step is divided."""

    batch_size: int  # rows of a batch where `batch_tokens` is None
    batch_tokens: int | None  # of a batch, padding included; one longer row is a batch of its own
    packing: bool  # rows are joined, else padded to the longest
    multiple: int = 1  # a packed batch is filled up to a multiple of so many tokens

    def batches(self, rows: Sequence[int], lengths: Lengths) -> list[list[int]]:
        """`rows` of one step as batches; every row is in one of them."""
        if self.batch_tokens is None:
            return [list(rows[start : start + self.batch_size]) for start in range(0, len(rows), self.batch_size)]
        longest_first = sorted(rows, key=lambda row: (-int(lengths[row]), row))
        divide = _packed if self.packing else _padded
        return divide(longest_first, lengths, self.batch_tokens)

    def computed(self, batches: Sequence[Sequence[int]], lengths: Lengths) -> int:
        """How many tokens are computed for these batches, with padding."""
        if self.packing:
            return sum(self.width(int(lengths[list(batch)].sum())) for batch in batches)
        return sum(len(batch) * int(lengths[list(batch)].max()) for batch in batches)

    def width(self, tokens: int) -> int:
        """Tokens of a packed batch after it was filled up."""
        return -(-tokens // self.multiple) * self.multiple


def shares(rows: Sequence[int], processes: int) -> list[list[int]]:
    """The rows of one step for each of the processes that train together, in turn."""
    return [list(rows[first::processes]) for first in range(processes)]


def _padded(longest_first: Sequence[int], lengths: Lengths, budget: int) -> list[list[int]]:
    batches: list[list[int]] = []
    for row in longest_first:  # the first row of a batch is its longest
        if not batches or (len(batches[-1]) + 1) * int(lengths[batches[-1][0]]) > budget:
            batches.append([])
        batches[-1].append(row)
    return batches


def _packed(longest_first: Sequence[int], lengths: Lengths, budget: int) -> list[list[int]]:
    """As few batches as possible, about equally full: each row goes to the emptiest one."""
    count = max(1, -(-int(lengths[list(longest_first)].sum()) // budget))
    while True:
        batches: list[list[int]] = [[] for _ in range(count)]
        filled = [0] * count
        for row in longest_first:
            emptiest = filled.index(min(filled))
            batches[emptiest].append(row)
            filled[emptiest] += int(lengths[row])
        is_fitting = all(full <= budget or len(batch) == 1 for full, batch in zip(filled, batches, strict=True))
        if is_fitting or count >= len(longest_first):
            return [batch for batch in batches if batch]
        count += 1
