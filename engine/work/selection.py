"""Selects the bugs that become samples: no duplicates, none of a benchmark, only those that can be encoded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self, TypeVar

from engine.builders import Funnel
from engine.listed import LEFT_OUT, Listing
from engine.rundir import RunDir
from engine.work.duplicates import Earlier, Found
from engine.work.expected import Expected
from engine.work.items import LONGEST_NAME, Item
from engine.work.overlap import ALIKE, RENAMED, SAME, Hit, Overlap

T = TypeVar("T", bound=Item)


class LeftOut:
    """Counts what is left out by the builder and after it, and lists each row with its reason (`engine.listed`)."""

    def __init__(self, run: RunDir, expected: Expected) -> None:
        self.source, self.funnel = Funnel(told=self._lost_by_builder), Funnel()
        self._expected = expected
        self._listing = Listing(run.artifacts / LEFT_OUT)

    def __enter__(self) -> Self:
        self._listing.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._listing.__exit__(kind, error, at)

    def _lost_by_builder(self, reason: str, where: str) -> None:
        self._listing.add(reason, where=where)
        self._expected.lose(where, reason)

    def lose(self, bug_id: str, reason: str, **more: object) -> None:
        """Count one bug as left out; `more`: further facts, such as the sample's `n_tokens`."""
        self.funnel.lose(reason, bug_id)
        self._listing.add(reason, bug_id=bug_id, **more)
        self._expected.lose(bug_id, reason)

    def repeats(self, bug_id: str, found: Found) -> None:
        """Count one row as left out because an earlier one is like it."""
        self.lose(bug_id, found.reason, like=found.like, share=found.share)


def select(
    items: Iterable[T], earlier: Earlier, overlap: Overlap, exclude_share: float | None, left_out: LeftOut
) -> Iterator[T]:
    """Stream what can be trained on.

    `earlier` holds the rows that are known to be kept. Of the last few that is not known yet, so what is like them is
    still to be found.
    """
    for each in items:
        name = each.keys.name
        if each.longest_name > LONGEST_NAME:
            left_out.lose(name[:LONGEST_NAME], f"its id, project or kind is longer than {LONGEST_NAME:,} characters")
        elif duplicate := earlier.find(each.keys):
            left_out.repeats(name, duplicate)
        elif excluded := _excluded(each.hits, exclude_share):
            words = "in" if excluded.how == SAME else "like code of"
            reason = f"{words} the benchmark {excluded.known.name}"
            left_out.lose(name, reason, like=overlap.bug_of(excluded), share=excluded.share)
        elif each.problem:
            left_out.lose(name, each.problem)
        else:
            yield each


def _excluded(hits: Iterable[Hit], share: float | None) -> Hit | None:
    """The hit for which a row is left out, or None."""
    for hit in hits:
        is_much = share is not None and (hit.how == RENAMED or (hit.how == ALIKE and hit.share >= share))
        if hit.known.is_excluded and (hit.how == SAME or is_much):
            return hit
    return None
