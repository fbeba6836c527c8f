"""Benchmark runs side by side: which bugs each repairs, whether the difference can be chance, and what it took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from sqlmodel import Session

from engine.control.exported import candidates_of
from engine.control.lookup import find_run
from engine.control.names import made_by, plugin_of
from engine.control.outcomes import seconds_worked
from engine.errors import UserError
from engine.exchange import latex
from engine.scoring import (
    CandidateSummary,
    Comparison,
    Mean,
    Share,
    compare,
    control_trouble,
    pass_at_with_interval,
    plausible_at,
    ranks,
)
from engine.specs import WITH_PATCHES
from storage import comparison
from storage.database import Database
from storage.tables import Run

MOST_RUNS = 8  # side by side; more cannot be told apart in a chart
LENGTHS = ((1, "1 line"), (5, "2 to 5 lines"), (20, "6 to 20 lines"))  # of the faulty span, up to and including
GROUPINGS = ("kind", "cwe", "language", "lines")


@dataclass(frozen=True)
class ComparedRun:
    """One run of a comparison; its figures count only the bugs that all runs of the comparison score."""

    run: int
    name: str
    model: str
    benchmark: str
    representation: str
    generator: str
    candidates: int  # asked for a bug
    own_bugs: int  # that this run scores at k, in common or not
    plausible_at: Mapping[int, Share]  # k = 1, 2, ... -> share of the common bugs
    pass_at: Mapping[int, Mean]  # some k -> pass@k over the common bugs that have k candidates with a verdict
    seconds: float | None  # that the run took; None while it has not ended

    @property
    def seconds_for_each(self) -> float | None:
        """Seconds for each bug that has a plausible patch among all its candidates; None where there is none."""
        hits = self.plausible_at[max(self.plausible_at)].hits if self.plausible_at else 0
        return self.seconds / hits if self.seconds is not None and hits else None


class ComparedBug(NamedTuple):  # a dataclass takes three times as long to make, and there are many thousand
    """One bug as each run met it; the tuples are in the order of the runs."""

    bug_id: str
    language: str
    kind: str
    cwe: str
    lines: str  # how long the faulty span is, in words
    repaired: tuple[bool | None, ...]  # a plausible patch among the first k; None: this run does not score the bug
    first: tuple[int | None, ...]  # rank of the first plausible patch

    @property
    def is_common(self) -> bool:
        """Whether every run scores it."""
        return None not in self.repaired


@dataclass(frozen=True)
class Group:
    """Common bugs that are alike in one respect, and how many of them each run repairs."""

    name: str
    bugs: int
    repaired: tuple[int, ...]


@dataclass(frozen=True)
class Compared:
    """Several runs on the bugs that they have in common, with the first k candidates of each."""

    k: int
    runs: tuple[ComparedRun, ...]
    bugs: tuple[ComparedBug, ...]  # of all runs, in the order of their ids
    pair: Comparison | None  # of exactly two runs

    @property
    def common(self) -> int:
        """How many bugs every run scores."""
        return sum(bug.is_common for bug in self.bugs)

    def as_latex(self) -> str:
        """A table for a paper, with a row for each run."""
        rows = [latex.TableRow(run.model or run.name, run.plausible_at) for run in self.runs]
        benchmarks = {run.benchmark for run in self.runs}
        return latex.comparison(rows, self.common, benchmarks.pop() if len(benchmarks) == 1 else "")

    @property
    def overlap(self) -> list[tuple[tuple[bool, ...], int]]:
        """(which runs repair it, how many common bugs), the most frequent combination first."""
        counted = Counter(tuple(map(bool, bug.repaired)) for bug in self.bugs if bug.is_common)
        return sorted(counted.items(), key=lambda each: (-each[1], tuple(not one for one in each[0])))

    def groups(self, by: str) -> list[Group]:
        """The common bugs by one of GROUPINGS, the largest group first. Raises UserError on another word."""
        if by not in GROUPINGS:
            raise UserError(f"bugs can be grouped by {', '.join(GROUPINGS)}, not {by!r}")
        found: dict[str, list[tuple[bool | None, ...]]] = {}
        for bug in self.bugs:
            if bug.is_common:
                found.setdefault(getattr(bug, by) or "not known", []).append(bug.repaired)
        groups = (
            Group(name, len(bugs), tuple(sum(map(bool, run)) for run in zip(*bugs, strict=True)))
            for name, bugs in found.items()
        )
        return sorted(groups, key=lambda group: (-group.bugs, group.name))


class Compare:
    """Compares the benchmark runs of a workspace."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def runs(self, run_ids: Sequence[int], k: int | None = None) -> Compared:
        """Compare runs with the first `k` candidates of each bug; without `k`, with as many as all runs have.

        Raises UserError where a run is unknown or no benchmark run, where fewer than two or more than MOST_RUNS are
        named, where `k` is larger than the number of candidates, or where the runs have no bug in common.
        """
        wanted = list(dict.fromkeys(run_ids))
        if not 2 <= len(wanted) <= MOST_RUNS:
            raise UserError(f"choose 2 to {MOST_RUNS} different benchmark runs to compare, not {len(wanted)}")
        with self._database.read() as session:
            runs = [_benchmark_run(session, run_id) for run_id in wanted]
            at = _rank(runs, k)
            found = _side_by_side(session, wanted, at)
        bugs = found.bugs
        if not found.common:
            named = " and ".join(f"{run.id} ({plugin_of(run.spec, 'benchmark')})" for run in runs)
            raise UserError(f"runs {named} have no bug in common that both score; compare runs of the same benchmark")
        pair = compare((bug.repaired[0], bug.repaired[1]) for bug in bugs) if len(runs) == 2 else None
        compared = (_compared(*each, at) for each in zip(runs, found.own, found.common, strict=True))
        return Compared(at, tuple(compared), tuple(bugs), pair)

    def benchmark_run(self, run_id: int) -> None:
        """Raises UserError where a run is unknown, or cannot be compared."""
        with self._database.read() as session:
            _benchmark_run(session, run_id)

    def cells(
        self, run_ids: Sequence[int], bug_ids: Iterable[str], ranks: int
    ) -> dict[tuple[int, str], dict[int, str]]:
        """(run, bug id) -> rank -> outcome, of the first `ranks` candidates of these bugs."""
        found: dict[tuple[int, str], dict[int, str]] = {}
        with self._database.read() as session:
            for run_id, bug_id, rank, outcome in comparison.cells(session, run_ids, bug_ids, ranks):
                found.setdefault((run_id, bug_id), {})[rank] = outcome
        return found


def _benchmark_run(session: Session, run_id: int) -> Run:
    run = find_run(session, run_id)
    if run.kind not in WITH_PATCHES:
        raise UserError(f"run {run_id} ({run.name}) is a {run.kind} run, which has no patches to compare")
    return run


def _rank(runs: Sequence[Run], k: int | None) -> int:
    """The k to compare at."""
    most = min(map(candidates_of, runs))
    if k is not None and not 1 <= k <= most:
        raise UserError(
            f"these runs have {most} candidates a bug at most in common; choose a k from 1 to {most}, not {k}"
        )
    return k or most


class _Found(NamedTuple):
    """What is read of several runs."""

    bugs: list[ComparedBug]
    own: list[int]  # bugs that each run scores
    common: list[Counter[CandidateSummary]]  # of each run: how many of the common bugs have this summary


def _side_by_side(session: Session, run_ids: Sequence[int], k: int) -> _Found:
    """Every bug of the runs, and the summaries of those that all of them score.

    Of ten thousand bugs of a run most have outcomes that another one has too, so what follows from outcomes is found
    once for each; of a bug it is only looked up.
    """
    facts: dict[str, tuple[str, str, str, int]] = {}
    met: list[dict[str, _Standing]] = []
    known: dict[tuple[Any, ...], _Standing] = {}
    for place, run_id in enumerate(run_ids):
        facts.update((row[0], row[1:]) for row in comparison.facts(session, run_id, run_ids[:place]))
        here: dict[str, _Standing] = {}
        for row in comparison.scored(session, run_id):
            if (standing := known.get(outcomes := row[1:])) is None:
                standing = known[outcomes] = _standing(k, *outcomes)
            here[row[0]] = standing
        met.append(here)
    bugs: list[ComparedBug] = []
    same: dict[tuple[Any, Any], tuple[Any, Any]] = {}  # few differ, and what is held once is collected faster
    common: list[list[_Standing]] = []
    for bug_id in sorted(facts):
        language, kind, cwe, lines = facts[bug_id]
        each = [run.get(bug_id, UNMET) for run in met]
        repaired, first = tuple([one.repaired for one in each]), tuple([one.first for one in each])
        alike = same.setdefault((repaired, first), (repaired, first))
        bug = ComparedBug(bug_id, language, kind, cwe, _length(lines), *alike)
        bugs.append(bug)
        if bug.is_common:
            common.append(each)
    own = [sum(one.repaired is not None for one in run.values()) for run in met]
    return _Found(bugs, own, [_counted(of_run) for of_run in zip(*common, strict=True)])


class _Standing(NamedTuple):
    """What follows from the outcomes of one bug in one run."""

    summary: CandidateSummary | None  # None: the run does not score the bug
    repaired: bool | None  # a plausible patch among the first k; None: that is not known
    first: int | None


UNMET = _Standing(None, None, None)


def _standing(k: int, known_fix: str | None, buggy_code: str | None, *counts: Any) -> _Standing:
    """From the outcomes of the controls, and counts in the order of a summary's fields."""
    if control_trouble(known_fix, buggy_code):
        return UNMET
    summary = CandidateSummary(*counts)
    return _Standing(summary, summary.is_plausible_at(k) if summary.judged else None, summary.first_plausible)


def _counted(standings: Sequence[_Standing]) -> Counter[CandidateSummary]:
    """By identity first: bugs with the same outcomes share one standing, and hashing it would take longer."""
    times = Counter(map(id, standings))
    one_of = {id(each): each.summary for each in standings}
    found: Counter[CandidateSummary] = Counter()
    for number, times_met in times.items():
        if (summary := one_of[number]) is not None:
            found[summary] += times_met
    return found


@lru_cache(maxsize=1000)
def _length(lines: int) -> str:
    if lines < 1:
        return "nothing, code is missing"
    return next((words for most, words in LENGTHS if lines <= most), "more than 20 lines")


def _compared(run: Run, own: int, common: Mapping[CandidateSummary, int], k: int) -> ComparedRun:
    chances = {at: chance for at in ranks(k) if (chance := pass_at_with_interval(common, at)) is not None}
    return ComparedRun(
        run=run.id or 0,
        name=run.name,
        model=made_by(run.spec),
        benchmark=plugin_of(run.spec, "benchmark"),
        representation=plugin_of(run.spec, "representation"),
        generator=plugin_of(run.spec, "generator"),
        candidates=candidates_of(run),
        own_bugs=own,
        plausible_at={at: plausible_at(common, at) for at in range(1, k + 1)},
        pass_at=chances,
        seconds=seconds_worked(run),
    )
