"""Benchmark runs bug by bug: the ledger, its figures, one patch in full, and the way out as CSV or JSONL."""

from __future__ import annotations

import csv
import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.domain import Outcome
from engine.errors import UserError
from storage import queries
from storage.database import Database
from storage.queries import LedgerQuery
from storage.tables import Bug, Patch, Run

__all__ = ["Detail", "LedgerQuery", "LedgerRow", "Patches", "Totals"]


@dataclass(frozen=True)
class LedgerRow:
    """One bug of the ledger: its two control cells and its candidates in rank order."""

    bug_id: str
    language: str
    kind: str
    cwe: str
    skipped: str  # why nothing was judged; empty where it was
    known_fix: str | None  # outcome
    buggy_code: str | None
    cells: tuple[tuple[int, str], ...]  # (rank from 1, outcome)
    first_plausible: int | None
    n_plausible: int


@dataclass(frozen=True)
class Totals:
    """The figures of one run. `plausible_at[k]`: bugs with a plausible patch among their first k."""

    bugs: int
    scored: int  # bugs whose candidates count
    skipped: dict[str, int]  # reason -> bugs
    outcomes: dict[str, int]  # outcome -> candidates
    plausible_at: dict[int, int]
    control_failures: int  # bugs whose known fix fails or whose buggy code passes
    known_fixes: int  # bugs with a candidate that is the known fix to the letter
    sandbox: str


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
    neighbours: tuple[tuple[str, int], ...] = field(default=())  # (source, rank) of all patches of the bug, in order

    @property
    def diff(self) -> str:
        """Unified diff from the buggy file to this patch; empty where there is none or nothing changed."""
        return unified(self.buggy, self.text, self.path) if self.text is not None else ""

    @property
    def is_known_fix(self) -> bool:
        return self.text == self.fixed

    @property
    def known_fix_diff(self) -> str:
        return unified(self.buggy, self.fixed, self.path)


class Patches:
    """The benchmark runs of a workspace, read bug by bug."""

    def __init__(self, home: Path, database: Database) -> None:
        self._exports = home / "exports"
        self._database = database

    def runs(self) -> Sequence[Run]:
        """Benchmark runs, newest first."""
        with self._database.read() as session:
            return queries.runs(session, kind="benchmark")

    def page(self, run_id: int, asked: LedgerQuery | None = None) -> tuple[list[LedgerRow], int]:
        """One page of the ledger, and how many bugs match in all."""
        with self._database.read() as session:
            found, total = queries.ledger(session, run_id, asked or LedgerQuery())
            cells = queries.cells(session, run_id, [bug.bug_id for bug, _, _ in found])
        return [_ledger_row(bug, first, count, cells) for bug, first, count in found], total

    def totals(self, run_id: int) -> Totals:
        """The figures as far as the run has come; `not_run` is in no numerator and no denominator.

        Raises UserError on an unknown run.
        """
        with self._database.read() as session:
            run = session.get(Run, run_id)
            if run is None:
                raise UserError(f"there is no run {run_id}; `repair-studio runs list` shows those there are")
            bugs = queries.bugs(session, run_id)
            outcomes = queries.outcomes(session, run_id)
            cells = queries.cells(session, run_id, [bug.bug_id for bug in bugs])
            known_fixes = queries.known_fixes(session, run_id)
        judged: dict[str, list[tuple[int, str]]] = {}
        controls: dict[str, dict[str, str]] = {}
        for bug_id, source, rank, outcome in cells:
            if source == "model" and outcome != Outcome.NOT_RUN:
                judged.setdefault(bug_id, []).append((rank, outcome))
            elif source != "model":
                controls.setdefault(bug_id, {})[source] = outcome
        firsts = [
            min((rank for rank, outcome in ranks if outcome == Outcome.PLAUSIBLE), default=None)
            for ranks in judged.values()
        ]
        most = int(run.spec.get("candidates", 10))
        skipped: dict[str, int] = {}
        for bug in bugs:
            if bug.skipped:
                skipped[bug.skipped] = skipped.get(bug.skipped, 0) + 1
        return Totals(
            bugs=len(bugs),
            scored=len(judged),
            skipped=skipped,
            outcomes=outcomes,
            plausible_at={k: sum(first is not None and first <= k for first in firsts) for k in sorted({1, 5, most})},
            control_failures=sum(not _controls_hold(outcome) for outcome in controls.values()),
            known_fixes=known_fixes,
            sandbox=str(run.result.get("sandbox", "")),
        )

    def detail(self, run_id: int, bug_id: str, source: str, rank: int) -> Detail:
        """Raises UserError where there is no such patch."""
        with self._database.read() as session:
            bug = queries.bug(session, run_id, bug_id)
            patch = queries.patch(session, run_id, bug_id, source, rank)
            cells = queries.cells(session, run_id, [bug_id])
        if bug is None or patch is None:
            raise UserError(f"run {run_id} has no patch {source} {rank} for {bug_id!r}")
        neighbours = sorted(((cell[1], cell[2]) for cell in cells), key=lambda cell: (cell[1], cell[0] != "known_fix"))
        return Detail(neighbours=tuple(neighbours), **_of_bug(bug), **_of_patch(patch))

    def export(self, run_id: int, form: str) -> Path:
        """Write all patches of a run as "csv" or "jsonl" below the home folder. Raises UserError on another form."""
        if form not in ("csv", "jsonl"):
            raise UserError(f"an export is csv or jsonl, not {form!r}")
        self._exports.mkdir(exist_ok=True)
        path = self._exports / f"run-{run_id}.{form}"
        rows = self._rows(run_id)
        if not rows:
            raise UserError(f"run {run_id} has no patches yet; wait until its first verdicts have come in")
        with path.open("w", encoding="utf-8", newline="") as file:
            if form == "csv":
                writer = csv.DictWriter(file, fieldnames=list(rows[0]))
                writer.writeheader()
                writer.writerows({key: _inert(value) for key, value in row.items()} for row in rows)
            else:
                file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        return path

    def _rows(self, run_id: int) -> list[dict[str, Any]]:
        with self._database.read() as session:
            run = queries.run(session, run_id)
            if run is None:
                raise UserError(f"there is no run {run_id}; `repair-studio runs list` shows those there are")
            if run.kind != "benchmark":
                raise UserError(f"run {run_id} ({run.name}) is a {run.kind} run; only benchmark runs have patches")
            bugs = {bug.bug_id: bug for bug in queries.bugs(session, run_id)}
            patches = queries.patches(session, run_id)
        return [_exported(run, bugs[patch.bug_id], patch) for patch in patches]


def _exported(run: Run, bug: Bug, patch: Patch) -> dict[str, Any]:
    """One patch as a row of an export."""
    return {
        "run": run.id,
        "model": run.spec.get("model", ""),
        "bug_id": patch.bug_id,
        "language": bug.language,
        "kind": bug.kind,
        "cwe": bug.cwe,
        "source": patch.source,
        "rank": patch.rank,
        "outcome": patch.outcome,
        "is_known_fix": patch.text == bug.fixed,
        "reason": patch.reason,
        "score": patch.score,
        "duration_s": patch.duration_s,
        "sandbox": patch.sandbox,
        "failed": " ".join(patch.failed),
        "completion": patch.completion,
        "diff": Detail(**_of_bug(bug), **_of_patch(patch)).diff,
    }


def unified(before: str, after: str, path: str) -> str:
    """A unified diff as `git apply` reads it."""
    lines = difflib.unified_diff(before.splitlines(True), after.splitlines(True), f"a/{path}", f"b/{path}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _controls_hold(outcome: dict[str, str]) -> bool:
    if len(outcome) < 2 or Outcome.NOT_RUN in outcome.values():
        return True  # not known yet, or the machinery failed: nothing is wrong with the bug
    return outcome["known_fix"] == Outcome.PLAUSIBLE and outcome["buggy_code"] != Outcome.PLAUSIBLE


def _ledger_row(bug: Bug, first: int | None, count: int, cells: Sequence[tuple[str, str, int, str]]) -> LedgerRow:
    mine = [cell for cell in cells if cell[0] == bug.bug_id]
    control = {source: outcome for _, source, _, outcome in mine if source != "model"}
    return LedgerRow(
        bug_id=bug.bug_id,
        language=bug.language,
        kind=bug.kind,
        cwe=bug.cwe,
        skipped=bug.skipped,
        known_fix=control.get("known_fix"),
        buggy_code=control.get("buggy_code"),
        cells=tuple((rank, outcome) for _, source, rank, outcome in mine if source == "model"),
        first_plausible=first,
        n_plausible=count,
    )


def _of_bug(bug: Bug) -> dict[str, Any]:
    return {key: getattr(bug, key) for key in ("bug_id", "path", "kind", "cwe", "start", "end", "buggy", "fixed")}


def _of_patch(patch: Patch) -> dict[str, Any]:
    keys = ("source", "rank", "completion", "text", "score", "same_as", "outcome", "reason", "log", "duration_s")
    return {key: getattr(patch, key) for key in (*keys, "sandbox")} | {"failed": tuple(patch.failed)}


def _inert(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
