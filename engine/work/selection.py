"""Selects the bugs that become samples: no duplicates, none of a benchmark, only those that can be encoded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from engine.builders import BuilderOutput, Funnel
from engine.domain import Bug, Preference, Sample
from engine.listed import LEFT_OUT, Listing
from engine.representations import CannotShow, Representation
from engine.representations.chat_template import ChatTemplate
from engine.rundir import RunDir
from engine.work.duplicates import Earlier, Found, Read
from engine.work.expected import Expected
from engine.work.overlap import ALIKE, RENAMED, SAME, Hit, Overlap

LONGEST_NAME = 1000  # characters


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

    def repeats(self, read: Read, found: Found) -> None:
        """Count one row as left out because an earlier one is like it."""
        self.lose(read.name, found.reason, like=found.like, share=found.share)


@dataclass(frozen=True)
class Selected:
    """What is trained on, what it was made from, and the code of benchmarks that it has."""

    encoded: Sample | Preference
    read: Read
    hits: Sequence[Hit]


def select(
    made: Iterable[BuilderOutput],
    representation: Representation,
    template: ChatTemplate,
    earlier: Earlier,
    overlap: Overlap,
    exclude_share: float | None,
    left_out: LeftOut,
) -> Iterator[Selected]:
    """Stream what is trained on: bugs as samples in the representation, samples and preferences unchanged.

    `template` turns all messages into text. `earlier` holds the rows that are known to be kept. Of the last few that is
    not known yet, so what is like them is still to be found.
    """
    for each in made:
        read = Read(each)
        if _longest_name(each) > LONGEST_NAME:
            left_out.lose(
                read.name[:LONGEST_NAME], f"its id, project or kind is longer than {LONGEST_NAME:,} characters"
            )
            continue
        if duplicate := earlier.find(read):
            left_out.repeats(read, duplicate)
            continue
        hits = overlap.find(read)
        if excluded := _excluded(hits, exclude_share):
            words = "in" if excluded.how == SAME else "like code of"
            reason = f"{words} the benchmark {excluded.known.name}"
            left_out.lose(read.name, reason, like=overlap.bug_of(excluded), share=excluded.share)
            continue
        try:
            if isinstance(each, Bug):
                encoded: Sample | Preference = template.in_text(representation.encode(each, each.notes))
            else:
                encoded = template.in_text(each) if isinstance(each, Sample) else template.pair_in_text(each)
        except CannotShow as error:
            left_out.lose(read.name, str(error))
            continue
        yield Selected(encoded, read, hits)


def _longest_name(each: BuilderOutput) -> int:
    """Of what a build holds in memory of each row, and of groups of rows."""
    of_bug = (each.cwe, each.date) if isinstance(each, Bug) else ()
    name = each.id if isinstance(each, Bug) else each.bug_id
    return max(map(len, (name, each.project, each.kind, each.language, *of_bug)))


def _excluded(hits: Iterable[Hit], share: float | None) -> Hit | None:
    """The hit for which a row is left out, or None."""
    for hit in hits:
        is_much = share is not None and (hit.how == RENAMED or (hit.how == ALIKE and hit.share >= share))
        if hit.known.is_excluded and (hit.how == SAME or is_much):
            return hit
    return None
