"""Benchmark runs side by side: which bugs each repairs, whether the difference can be chance, and what it took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from engine.attempts import strategy_of
from engine.control.costs import costs_of
from engine.control.exported import candidates_of
from engine.control.lookup import find_run
from engine.control.names import made_by, plugin_of
from engine.control.side_by_side import ComparedBug, RunStandings, side_by_side
from engine.errors import UserError
from engine.exchange import latex
from engine.rundir import ENDED
from engine.scoring import (
    Comparison,
    Costs,
    Mean,
    Share,
    chances,
    compare,
    plausible_at,
    ranks,
    shares_at,
)
from engine.specs import WITH_PATCHES
from storage import comparison
from storage.database import Database
from storage.tables import Run

MOST_RUNS = 8  # side by side; more cannot be told apart in a chart
GROUPINGS = ("kind", "cwe", "language", "lines", "project")


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
    exact_at: Mapping[int, Share]  # some k -> common bugs with the text of the known fix among the first k
    tree_at: Mapping[int, Share]  # the same with its syntax tree; empty: the trees are not known
    costs: Costs  # of the whole run, all its bugs
    costs_of_each: Costs | None  # for each of its bugs, in common or not, that the first k repair; None: no such bug
    strategy: str = ""  # that chose each attempt after the verdict on the one before; empty: all answer one prompt

    @property
    def seconds(self) -> float | None:
        """That the run took; None while it has not ended."""
        return self.costs.seconds

    @property
    def seconds_for_each(self) -> float | None:
        """Seconds of the whole run for each bug of it that has a plausible patch among the first k."""
        return self.costs_of_each.seconds if self.costs_of_each else None


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
        named = zip(distinct_names(self.runs), self.runs, strict=True)
        rows = [latex.TableRow(name, run.plausible_at, run.exact_at, run.tree_at, run.strategy) for name, run in named]
        benchmarks = {run.benchmark for run in self.runs}
        return latex.comparison(rows, self.common, benchmarks.pop() if len(benchmarks) == 1 else "")

    @property
    def overlap(self) -> list[tuple[tuple[bool, ...], int]]:
        """(which runs repair it, how many common bugs), the most frequent combination first."""
        counted = Counter(tuple(map(bool, bug.repaired)) for bug in self.bugs if bug.is_common)
        return sorted(counted.items(), key=lambda each: (-each[1], tuple(not one for one in each[0])))

    @property
    def groupings(self) -> tuple[str, ...]:
        """Those of GROUPINGS by which these bugs can be grouped: projects only where any is known."""
        has_projects = any(bug.project for bug in self.bugs)
        return tuple(each for each in GROUPINGS if each != "project" or has_projects)

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


def distinct_names(runs: Sequence[ComparedRun]) -> list[str]:
    """The model of each run; with as much behind it as tells it from the other runs of the same model."""
    names = [run.model or run.name for run in runs]
    strategies, generators = [run.strategy or "one prompt" for run in runs], [run.generator for run in runs]
    for more in (strategies, generators, [run.representation for run in runs], [f"run {r.run}" for r in runs]):
        found = {name: {each for each, other in zip(more, names, strict=True) if other == name} for name in names}
        names = [f"{name}, {each}" if len(found[name]) > 1 else name for name, each in zip(names, more, strict=True)]
    return names


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
            found = side_by_side(session, wanted, at)
            costs = [costs_of(session, run) for run in runs]
        bugs = found.bugs
        for run, own in zip(runs, found.own, strict=True):
            if not any(at.judged for at in own.summaries):
                so_far = "" if run.state in ENDED else " so far"
                raise UserError(f"run {run.id} ({run.name}) has scored no bug{so_far}: it is {run.state}")
        if not found.common:
            named = " and ".join(f"{run.id} ({plugin_of(run.spec, 'benchmark')})" for run in runs)
            raise UserError(f"runs {named} have no bug in common that both score; compare runs of the same benchmark")
        pair = compare((bug.repaired[0], bug.repaired[1]) for bug in bugs) if len(runs) == 2 else None
        compared = (_compared(*each, at) for each in zip(runs, costs, found.own, found.common, strict=True))
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


def _compared(run: Run, costs: Costs, own: RunStandings, common: RunStandings, k: int) -> ComparedRun:
    shares = {at: plausible_at(common.summaries, at) for at in range(1, k + 1)}
    ks = {at: shares[at] for at in ranks(k)}
    own_share = plausible_at(own.summaries, k)
    strategy = strategy_of(run.spec)
    return ComparedRun(
        run=run.id or 0,
        name=run.name,
        model=made_by(run.spec),
        benchmark=plugin_of(run.spec, "benchmark"),
        representation=plugin_of(run.spec, "representation"),
        generator=plugin_of(run.spec, "generator"),
        candidates=candidates_of(run),
        own_bugs=own_share.total,
        plausible_at=shares,
        pass_at={} if strategy else chances(common.summaries, k),
        strategy=strategy,
        exact_at=shares_at(common.first_fixes, ks),
        tree_at=shares_at(common.first_trees, ks) if common.trees_known else {},
        costs=costs,
        costs_of_each=costs.for_each(own_share.hits),
    )
