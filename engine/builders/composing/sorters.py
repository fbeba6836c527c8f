"""Sorters: in which order ranked chunks stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any

from engine.builders.composing import Sorter


class Lexicographic(Sorter):
    """By the first ranker, equals by the next one, and so on; the best is last, next to the completion file (S3)."""

    name = "lexicographic"

    def nearest_first(self, ranks: Sequence[tuple[Any, ...]]) -> Iterator[int]:
        # of equals the one given last is nearest, as where they are sorted with the best last
        in_order = sorted(range(len(ranks)), key=ranks.__getitem__)
        return reversed(in_order)


class Mixed(Sorter):
    """The best by the first ranker is next to the completion file, then the best of the others by the second (S3)."""

    name = "mixed"

    def nearest_first(self, ranks: Sequence[tuple[Any, ...]]) -> Iterator[int]:
        n_rankers = len(ranks[0]) if ranks else 0
        columns = [[*map(itemgetter(one), ranks)] for one in range(n_rankers)]
        orders = [iter(sorted(range(len(ranks)), key=own.__getitem__, reverse=True)) for own in columns]
        taken = bytearray(len(ranks))
        for turn in range(len(ranks)):
            at = next(at for at in orders[turn % n_rankers] if not taken[at])
            taken[at] = True
            yield at
