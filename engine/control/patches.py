"""Benchmark runs bug by bug: the table of verdicts, its figures, one patch in full, exports."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from engine.attempts import at, strategy_of
from engine.control import exports
from engine.control.costs import costs_of
from engine.control.diff import new_lines, unified
from engine.control.exported import candidates_of
from engine.control.lookup import find_patch, find_run
from engine.control.matches import Matches, first_matches
from engine.control.reviews import ReviewTotals, totals_of
from engine.control.views import RunView, views_of
from engine.domain import Outcome
from engine.events import MODEL
from engine.exchange.exported import Form
from engine.scoring import (
    BugOutcomes,
    CandidateSummary,
    Costs,
    Mean,
    Share,
    counted_reasons,
    figures,
    plausible_at,
    shares_at,
)
from engine.specs import WITH_PATCHES
from storage import benchmarks, bulk, queries, reviews, texts
from storage.benchmarks import BugQuery
from storage.database import Database
from storage.tables import Bug

__all__ = ["BugQuery", "BugRow", "Detail", "Patches", "Totals", "unified"]


@dataclass(frozen=True)
class BugRow:
    """One row of the table of verdicts: a bug with its two controls and its candidates in rank order."""

    bug_id: str
    language: str
    kind: str
    cwe: str
    project: str  # empty: not known
    skipped: str  # why the bug was skipped; empty if it was not
    prompt_tokens: int | None
    whole_tokens: int | None  # of the prompt before it was shortened; None: it was not
    known_fix: str | None  # outcome
    buggy_code: str | None
    cells: tuple[tuple[int, str], ...]  # (rank from 1, outcome)
    reviewers: Mapping[int, frozenset[str]]  # rank -> who has reviewed the candidate, if anybody
    first_plausible: int | None
    n_plausible: int


@dataclass(frozen=True)
class Totals:
    """The figures of one run, computed by `engine.scoring.figures` from the columns of its bugs."""

    bugs: int
    scored: int  # bugs whose candidates count
    skipped: dict[str, int]  # reason -> bugs
    outcomes: dict[str, int]  # outcome -> candidates
    plausible_at: dict[int, Share]  # k -> bugs with a plausible patch among their first k
    control_failures: int  # bugs whose known fix fails or whose buggy code passes
    pass_at: dict[int, Mean]
    known_fixes: int  # bugs with a plausible candidate whose text is identical to the known fix
    exact_at: dict[int, Share]  # k -> bugs with such a candidate among their first k
    tree_at: dict[int, Share]  # k -> bugs with a plausible one that has the known fix's tree; empty: not known
    orders: dict[str, Share]  # order of `engine.ranking` -> bugs whose first candidate in it is plausible
    costs: Costs
    costs_of_each: Costs | None  # for each bug that has a plausible patch; None: there is none
    reviewed: dict[str, int]  # a person's verdict -> patches
    review_totals: ReviewTotals
    sandbox: str
    strategy: str = ""  # that chose each attempt after the verdict on the one before; empty: all answer one prompt
    by_attempt: dict[int, Share] = field(default_factory=dict)  # 1, 2, ... -> bugs repaired by then; with a strategy

    def at(self, k: int) -> str:
        """What the share of `plausible_at[k]` is called."""
        return at(k, attempts=bool(self.strategy))


@dataclass(frozen=True)
class Detail:
    """One patch in full; all texts are hostile."""

    bug_id: str
    path: str
    kind: str
    cwe: str
    start: int
    end: int
    buggy: str
    fixed: str
    source: str
    rank: int
    completion: str
    text: str | None
    score: float | None
    same_as: int | None
    outcome: str
    reason: str
    log: str
    failed: tuple[str, ...]
    duration_s: float
    sandbox: str
    isolation: str  # shared | isolated; empty where nothing ran or it is not known
    stages: dict[str, float]  # of judging it -> seconds
    is_known_fix: bool  # its text is identical to the known fix
    is_known_tree: bool | None  # its syntax tree is that of the known fix; None: not known
    tokens_written: int | None
    tokens_read: int | None  # its share of the prompt's
    prompt_tokens: int | None = None
    whole_tokens: int | None = None  # of the prompt before it was shortened; None: it was not
    prompt: str = ""  # that it answers, where a bug has several; empty: it is not kept
    first_prompt: str = ""  # of the first attempt at this bug
    neighbours: tuple[tuple[str, int], ...] = field(default=())  # (source, rank) of all patches of the bug, in order

    @property
    def told(self) -> str:
        """The lines of its prompt that the prompt of the first attempt does not have; empty if there are none."""
        return new_lines(self.first_prompt, self.prompt)

    @property
    def diff(self) -> str:
        """Unified diff from the buggy file to this patch; empty if there is no patch or nothing changed."""
        return unified(self.buggy, self.text, self.path) if self.text is not None else ""


class Patches:
    """The benchmark runs of a workspace, read bug by bug."""

    def __init__(self, home: Path, database: Database) -> None:
        self._exports = home / "exports"
        self._database = database

    def runs(self, also: Sequence[int] = ()) -> Sequence[RunView]:
        """The newest 200 runs with patches, newest first, and behind them those of these numbers that are older."""
        with self._database.read() as session:
            newest = queries.runs(session, kinds=WITH_PATCHES)
            known = {run.id for run in newest}
            older = [run for number in also if number not in known and (run := queries.run(session, number))]
            runs = [*newest, *(run for run in older if run.kind in WITH_PATCHES)]
            return views_of(session, runs)

    def page(self, run_id: int, asked: BugQuery | None = None) -> tuple[list[BugRow], int]:
        """One page of the table of verdicts, and how many bugs match in all."""
        with self._database.read() as session:
            found, total = benchmarks.bug_page(session, run_id, asked or BugQuery())
            cells = bulk.cells(session, [bug.id for bug in found])
            reviewed = reviews.of_bugs(session, [bug.id for bug in found])
        of_bug: dict[int | None, list[tuple[int, str]]] = {}
        for cell in cells:
            if cell.source == MODEL:
                of_bug.setdefault(cell.bug, []).append((cell.rank, cell.outcome))
        said: dict[int | None, dict[int, frozenset[str]]] = {}
        for row, rank, reviewer in reviewed:
            at = said.setdefault(row, {})
            at[rank] = at.get(rank, frozenset()) | {reviewer}
        return [_bug_row(bug, of_bug.get(bug.id, ()), said.get(bug.id, {})) for bug in found], total

    def candidates(self, run_id: int) -> int:
        """Patches a bug at most. Raises UserError on an unknown run."""
        with self._database.read() as session:
            return candidates_of(find_run(session, run_id))

    def totals(self, run_id: int) -> Totals:
        """The figures so far; `not_run` is in no numerator and no denominator.

        Raises UserError on an unknown run.
        """
        with self._database.read() as session:
            run = find_run(session, run_id)
            rows = benchmarks.candidate_summaries(session, run_id)
            aside = benchmarks.candidate_summaries(session, run_id, set_aside=True)
            skipped = benchmarks.skipped(session, run_id)
            outcomes = benchmarks.outcomes(session, run_id)
            reviewed = reviews.numbers(session, run_id)
            review_totals = totals_of(session, run_id, outcomes.get(Outcome.PLAUSIBLE, 0))
            exact, trees = first_matches(session, run_id)
            costs = costs_of(session, run)
        bugs: Counter[BugOutcomes] = Counter()
        known_fixes, matches = 0, Matches()
        for sign, row in [*((1, row) for row in rows), *((-1, row) for row in aside)]:
            summary = CandidateSummary(row.first_plausible, row.first_unjudged, row.plausible, row.judged)
            outcomes_of = BugOutcomes(row.known_fix, row.buggy_code, summary)
            bugs[outcomes_of] += sign * row.bugs
            if summary.judged and not outcomes_of.trouble:
                matches.add(row, sign)
            known_fixes += sign * row.bugs if row.has_known_fix else 0
        strategy = strategy_of(run.spec)
        found = figures(bugs, candidates_of(run), attempts=bool(strategy))
        return Totals(
            bugs=sum(row.bugs for row in rows),
            scored=found.scored,
            skipped=counted_reasons(skipped),
            outcomes=outcomes,
            plausible_at=found.plausible_at,
            control_failures=found.control_failures,
            pass_at=found.pass_at,
            known_fixes=known_fixes,
            exact_at=shares_at(exact, found.plausible_at),
            tree_at=shares_at(trees, found.plausible_at) if matches.trees == found.scored else {},
            orders={} if strategy else matches.orders(found.plausible_at),
            strategy=strategy,
            by_attempt=_by_attempt(bugs, candidates_of(run)) if strategy else {},
            costs=costs,
            costs_of_each=costs.for_each(found.repaired),
            reviewed=reviewed,
            review_totals=review_totals,
            sandbox=str(run.result.get("sandbox", "")),
        )

    def repaired(self, run_id: int) -> dict[str, int]:
        """Bug -> rank of its first plausible patch in a run, the smallest ranks first."""
        with self._database.read() as session:
            return benchmarks.repaired(session, run_id)

    def repaired_by(self, model: str, benchmark: str) -> dict[str, int]:
        """The same, of the newest finished run of a model on a benchmark; empty if there is none."""
        for run in self.runs():
            of = (run.state, run.spec.get("model"), (run.spec.get("benchmark") or {}).get("name"))
            if of == ("done", model, benchmark):
                return self.repaired(run.id)
        return {}

    def detail(self, run_id: int, bug_id: str, source: str, rank: int) -> Detail:
        """One patch in full. Raises UserError if there is no such patch."""
        with self._database.read() as session:
            bug, patch = find_patch(session, run_id, bug_id, source, rank)
            cells = bulk.cells(session, [bug.id])
            first = benchmarks.patch(session, run_id, bug_id, MODEL, 1) if patch.prompt_text else None
            first_prompt = first[1].prompt_text if first else None
            ids = (bug.buggy_text, bug.fixed_text, patch.completion_text, patch.patch_text, patch.log_text)
            text = texts.read(session, (*ids, patch.failed_text, patch.prompt_text, first_prompt))
        neighbours = sorted(((cell.source, cell.rank) for cell in cells), key=lambda it: (it[1], it[0] != "known_fix"))
        return Detail(
            neighbours=tuple(neighbours),
            buggy=text[bug.buggy_text],
            fixed=text[bug.fixed_text],
            completion=text[patch.completion_text],
            text=text.get(patch.patch_text),
            log=text[patch.log_text],
            failed=tuple(json.loads(text[patch.failed_text])),
            prompt=text.get(patch.prompt_text, ""),
            first_prompt=text.get(first_prompt, ""),
            **{
                key: getattr(bug, key)
                for key in ("bug_id", "path", "kind", "cwe", "start", "end", "prompt_tokens", "whole_tokens")
            },
            **{key: getattr(patch, key) for key in ("source", "rank", "score", "same_as", "outcome", "reason")},
            **{key: getattr(patch, key) for key in ("duration_s", "sandbox", "isolation", "stages", "is_known_fix")},
            **{key: getattr(patch, key) for key in ("is_known_tree", "tokens_written", "tokens_read")},
        )

    def forms(self, run_id: int) -> list[Form]:
        """The formats that a run can be written in now. Raises UserError on an unknown run."""
        with self._database.read() as session:
            return exports.forms_of(find_run(session, run_id))

    def export(self, run_id: int, form: str) -> Path:
        """Write a run in a format of `engine.exchange.forms` into the home folder. Raises UserError on another form."""
        return exports.export(self._database, self._exports, run_id, form)

    def download(self, run_id: int, form: str, given_up: Event) -> Path:
        """As `export`, to a new file that its reader removes. Raises `exports.GivenUp` soon after `given_up` is set."""
        return exports.export(self._database, self._exports / exports.DOWNLOADS, run_id, form, given_up)


def _by_attempt(bugs: Mapping[BugOutcomes, int], most: int) -> dict[int, Share]:
    summaries: Counter[CandidateSummary] = Counter()
    for bug, count in bugs.items():
        if bug.candidates.judged and not bug.trouble:
            summaries[bug.candidates] += count
    return {k: plausible_at(summaries, k) for k in range(1, most + 1)}


def _bug_row(bug: Bug, cells: Sequence[tuple[int, str]], reviewers: Mapping[int, frozenset[str]]) -> BugRow:
    return BugRow(
        cells=tuple(cells),
        reviewers=reviewers,
        n_plausible=bug.plausible,
        **{
            key: getattr(bug, key)
            for key in ("bug_id", "language", "kind", "cwe", "project", "skipped", "prompt_tokens", "whole_tokens")
        },
        **{key: getattr(bug, key) for key in ("known_fix", "buggy_code", "first_plausible")},
    )
