"""Bugs of a run with the known fix among their candidates, and with a plausible patch first in each order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from sqlmodel import Session

from engine.exchange.exported import Matched
from engine.ranking import ORDERS
from engine.scoring import Figures, Share, control_trouble, shares_at
from storage import benchmarks


def first_matches(session: Session, run_id: int) -> tuple[Counter[int], Counter[int]]:
    """By text and by syntax tree: rank -> scored bugs whose first plausible candidate like the known fix has it."""
    return _scored(benchmarks.known_fixes(session, run_id)), _scored(benchmarks.known_trees(session, run_id))


def _scored(rows: Iterable[Any]) -> Counter[int]:
    found: Counter[int] = Counter()
    for rank, known_fix, buggy_code, bugs in rows:
        found[rank] += 0 if control_trouble(known_fix, buggy_code) else bugs
    return found


def matched(session: Session, run_id: int, of: Mapping[str | None, Figures]) -> dict[str | None, Matched]:
    """Matches with the known fix by kind of fault, and under None in all; `of`: the figures of the same bugs."""
    exact: dict[str | None, Counter[int]] = {key: Counter() for key in of}
    trees: dict[str | None, Counter[int]] = {key: Counter() for key in of}
    untold: set[str | None] = set()  # where some bug's trees are not known
    for row in benchmarks.matches_by_kind(session, run_id):
        kind, known_fix, buggy_code, first_fix, first_tree, is_told, bugs = tuple(row)
        if control_trouble(known_fix, buggy_code):
            continue
        for key in (None, kind):
            if first_fix is not None:
                exact[key][first_fix] += bugs
            if first_tree is not None:
                trees[key][first_tree] += bugs
            untold |= set() if is_told else {key}
    return {
        key: Matched(
            shares_at(exact[key], each.plausible_at),
            {} if key in untold else shares_at(trees[key], each.plausible_at),
        )
        for key, each in of.items()
    }


class Matches:
    """Sums over the bugs that are scored."""

    def __init__(self) -> None:
        self.trees = 0  # bugs whose candidates' trees are known
        self._tops: Counter[str] = Counter()

    def add(self, row: Any, sign: int) -> None:
        """Bugs with the same outcomes, a row of `benchmarks.candidate_summaries`; `sign` is -1 to take them away."""
        self.trees += sign * row.trees
        for name in (*benchmarks.TOPS, *(f"{top}_known" for top in benchmarks.TOPS)):
            self._tops[name] += sign * (getattr(row, name) or 0)

    def orders(self, generated: Mapping[int, Share]) -> dict[str, Share]:
        """Bugs with a plausible candidate first: as generated, from plausible@k, and in each order that is known."""
        found = {"generated": generated[1]} if 1 in generated else {}
        for order in ORDERS:
            if total := self._tops[f"top_{order}_known"]:
                found[order] = Share(self._tops[f"top_{order}"], total)
        return found
