"""Runs and datasets as pages show them: plain values, so that no page holds a row of the database."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session

from engine.control.costs import machine_costs
from engine.control.outcomes import WHERE, outcome_words, reached, seconds_before, seconds_worked, stopping, unread
from engine.control.states import progress_of
from engine.control.strangers import HARMLESS
from engine.dataset_card import SHARES
from engine.results import (
    BenchmarkOverlap,
    DatasetFacts,
    ExpectedIds,
    Funnel,
    Loss,
    SourceRows,
    Window,
    dataset_report,
)
from engine.rundir import ACTIVE, ENDED
from engine.scoring import Costs
from engine.specs import KINDS, waits_for_people
from storage import queue
from storage.queue import Standing as Standing  # for pages too
from storage.tables import Dataset, Run


@dataclass(frozen=True)
class RunView:
    """One run. Times are seconds since the epoch; `fraction` is the share done, None if it is not known."""

    id: int
    kind: str
    name: str
    state: str
    spec: Mapping[str, Any]
    after: int | None  # the run that it waits for
    ahead: int | None  # the run before it in the queue, if that is known
    created_at: float
    started_at: float | None
    ended_at: float | None
    stop_asked_at: float | None
    progress: str  # what it is doing
    fraction: float | None
    outcome: str  # its result, in a few words
    error: str
    result: Mapping[str, Any]
    folder: str = ""
    cause: str = ""  # of a failed run: as in `engine.events.State`
    seconds: float | None = None  # that it worked; None while it has not ended
    seconds_before: float = 0.0  # that it worked before it was resumed
    reached: str = ""  # how far it came if it has ended before it was done
    note: str = ""  # of a user
    group: str = ""  # of runs that belong together: "demo-1", "sweep-2", "rounds-1"
    unread: str = ""  # how many of its events could not be read, and why
    costs: Costs | None = None  # of its machines and GPUs so far; None where its launcher has no price

    @classmethod
    def of(cls, run: Run, ahead: int | None = None) -> RunView:
        return cls(
            id=run.id or 0,
            kind=run.kind,
            name=run.name,
            state=run.state,
            spec=run.spec,
            after=run.after,
            ahead=ahead,
            created_at=run.created_at,
            started_at=run.started_at,
            ended_at=run.ended_at,
            stop_asked_at=run.stop_asked_at,
            progress=stopping(run) or run.progress_text,
            fraction=progress_of(run),
            seconds_before=seconds_before(run),
            outcome=outcome_words(run),
            reached=reached(run),
            error=run.error,
            result=run.result,
            seconds=seconds_worked(run),
            folder=run.folder,
            cause=run.cause,
            unread=unread(run),
            costs=machine_costs(run),
            note=run.note,
            group=run.group,
        )

    @property
    def where(self) -> str:
        """Where its worker is, or was last ("SLURM job 17 on node3"); empty if its launcher does not tell."""
        return "" if self.state == "queued" else str(self.result.get(WHERE, ""))

    @property
    def waits(self) -> str:
        """What a queued run waits for, in a few words; empty in any other state."""
        if self.state != "queued":
            return ""
        if self.ahead:
            return f"queued behind run {self.ahead}"
        return f"waits for run {self.after}" if self.after else "starts in a moment"

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE

    @property
    def can_save(self) -> bool:
        """Whether it is active and saves its work when it is stopped."""
        return self.is_active and self.kind in KINDS and KINDS[self.kind].saves_when_stopped

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED


def views_of(session: Session, runs: Sequence[Run]) -> list[RunView]:
    """The runs in the same order, each queued one with the run ahead of it in the queue."""
    is_any_queued = any(run.state == "queued" for run in runs)
    return run_views(runs, queue.standing_in(session, ("queued", *ACTIVE)) if is_any_queued else [])


def run_views(runs: Sequence[Run], unfinished: Sequence[Standing]) -> list[RunView]:
    """The runs in the same order; each queued one with the run ahead of it, of all `unfinished` runs of any kind.

    Loaded chat models do not count, nor do runs for other machines: none waits for those.
    """
    lines: defaultdict[str, list[Standing]] = defaultdict(list)
    for each in sorted(unfinished, key=lambda run: (run.place, run.id)):
        if not waits_for_people(each.kind):
            lines[_machine(each.launcher)].append(each)
    active = {name: next((run.id for run in line if run.state in ACTIVE), None) for name, line in lines.items()}
    waiting = {name: [run for run in line if run.state == "queued"] for name, line in lines.items()}
    places = {name: [run.place for run in line] for name, line in waiting.items()}

    def ahead(run: Run) -> int | None:
        name = _machine(run.launcher)
        if run.state != "queued" or waits_for_people(run.kind) or name not in lines:
            return None
        before = bisect_left(places[name], run.place)
        return waiting[name][before - 1].id if before else active[name]

    return [RunView.of(run, ahead(run)) for run in runs]


def _machine(launcher: str) -> str:
    """The name of a launcher; the same for all that start their workers on this machine."""
    return "" if launcher in HARMLESS else launcher


@dataclass(frozen=True)
class DatasetView:
    """One dataset and what was left out when it was built; all that comes from its source is hostile text."""

    name: str
    run_id: int
    folder: str
    train_rows: int
    valid_rows: int
    hash: str
    created_at: float
    max_tokens: int  # of the longest sample; 0 if that is not known
    mean_tokens: float | None  # of a sample, padding not counted
    learned_tokens: int
    source: int  # bugs that were read
    losses: tuple[Loss, ...]
    shares: Mapping[
        str, Mapping[str, int]
    ]  # "kinds", "languages", "projects", "cwes" -> value -> samples; no empty ones
    distinct: Mapping[str, int]  # the same -> how many values there are
    unnamed: Mapping[str, int]  # the same -> samples without a value
    lengths: Mapping[str, Mapping[str, Sequence[float]]]  # "histogram", "prompts", "targets" -> edges and counts
    windows: tuple[Window, ...]
    overlap: tuple[BenchmarkOverlap, ...]
    expected: ExpectedIds | None
    sources: tuple[SourceRows, ...]
    licence: str
    split: str
    undated: int  # samples whose day is not known
    only_ends: int  # samples of which only their end is learned
    holds: str
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # its builder's: title -> name -> count

    @classmethod
    def of(cls, row: Dataset) -> DatasetView:
        report = dataset_report(row.report, row.train_rows, row.valid_rows)
        funnel = report.funnel or Funnel()
        drawn = {"histogram": report.histogram, "prompts": report.prompts, "targets": report.targets}
        tables = {name: getattr(report, name) for name in SHARES}
        shares = {name: {value: n for value, n in (counts or {}).items() if value} for name, counts in tables.items()}
        return cls(
            name=row.name,
            run_id=row.run_id,
            folder=row.folder,
            train_rows=row.train_rows,
            valid_rows=row.valid_rows,
            hash=row.hash,
            created_at=row.created_at,
            max_tokens=report.max_tokens,
            mean_tokens=report.mean_tokens,
            learned_tokens=report.learned_tokens,
            source=funnel.source,
            losses=tuple(funnel.steps),
            counts=report.counts,
            shares={name: counts for name, counts in shares.items() if counts},
            distinct={
                name: max(len(counts), (report.distinct or {}).get(name, 0) - (len(counts) < len(tables[name] or {})))
                for name, counts in shares.items()
            },
            unnamed={name: (counts or {}).get("", 0) for name, counts in tables.items()},
            lengths={side: {"edges": each.edges, "counts": each.counts} for side, each in drawn.items() if each},
            windows=tuple(report.windows or ()),
            overlap=tuple(report.overlap or ()),
            expected=report.expected,
            sources=tuple((report.facts or DatasetFacts()).sources),
            licence=report.licence,
            split=report.split,
            undated=report.undated,
            only_ends=report.only_ends,
            holds=report.holds,
        )

    @property
    def kinds(self) -> Mapping[str, int]:
        return self.shares.get("kinds", {})

    @property
    def histogram(self) -> Mapping[str, Sequence[float]]:
        return self.lengths.get("histogram", {"edges": [], "counts": []})

    @property
    def rows(self) -> int:
        return self.train_rows + self.valid_rows
