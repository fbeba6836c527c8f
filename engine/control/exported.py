"""One benchmark run of the database as the formats of `engine.exchange` read it, part by part."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from sqlmodel import Session

from engine.control.costs import costs_of
from engine.control.diff import unified
from engine.control.matches import matched
from engine.control.names import made_by, plugin_of
from engine.exchange.exported import BugPatches, Candidate, Exported, Matched, PatchRow, RunFacts
from engine.scoring import BugOutcomes, CandidateSummary, Figures, control_trouble, figures
from storage import benchmarks
from storage.tables import Run

ByKind = Mapping[str, Counter[BugOutcomes]]


def exported(session: Session, run: Run, check: Callable[[], None]) -> Exported:
    """A run, read in this session; `check` is called before each patch, and what it raises ends the reading."""
    facts = RunFacts(
        number=run.id or 0,
        name=run.name,
        model=made_by(run.spec),
        benchmark=plugin_of(run.spec, "benchmark"),
        representation=plugin_of(run.spec, "representation"),
        candidates=candidates_of(run),
        folder=Path(run.folder),
        spec=run.spec,
    )

    def _figures(bugs: Counter[BugOutcomes]) -> Figures:
        return figures(bugs, facts.candidates, attempts=facts.has_attempts)

    def in_all() -> Figures:
        return _figures(sum(_outcomes(session, facts.number).values(), Counter()))

    def matches() -> Mapping[str | None, Matched]:
        of: list[tuple[str | None, Figures]] = [(None, in_all()), *by_kind().items()]
        return matched(session, facts.number, dict(of))

    def by_kind() -> dict[str, Figures]:
        found = {kind: _figures(bugs) for kind, bugs in _outcomes(session, facts.number).items()}
        return dict(sorted(found.items(), key=lambda each: (-each[1].scored, each[0])))

    return Exported(
        run=facts,
        rows=lambda: _rows(session, facts, check),
        bugs=lambda: _bugs(session, facts.number, check),
        figures=in_all,
        costs=lambda: costs_of(session, run),
        by_kind=by_kind,
        matched=matches,
    )


def candidates_of(run: Run) -> int:
    """Patches a bug: as many as were asked for, or as the file that was tested has at most."""
    return int(run.result.get("candidates", run.spec.get("candidates", 10)))


def _outcomes(session: Session, run_id: int) -> ByKind:
    """Kind of fault -> how many bugs have these outcomes, without those that were set aside."""
    found: dict[str, Counter[BugOutcomes]] = {}
    for row in benchmarks.summaries_by_kind(session, run_id):
        kind, known_fix, buggy_code, *counts, bugs = tuple(row)
        found.setdefault(kind, Counter())[BugOutcomes(known_fix, buggy_code, CandidateSummary(*counts))] += bugs
    return found


def _rows(session: Session, run: RunFacts, check: Callable[[], None]) -> Iterator[PatchRow]:
    for bug, patches in benchmarks.with_texts(session, run.number):
        bug_id, path, language, kind, cwe, project, skipped, known_fix, buggy_code, buggy = bug
        trouble = f"set aside: {skipped}" if skipped else control_trouble(known_fix, buggy_code)
        of_bug = (run.number, run.model, bug_id, language, kind, cwe, project, trouble)
        diffs: dict[int | None, str] = {None: ""}  # text id -> diff: many patches of a bug are the same
        for _, *judged, text, completion, patch, failed in patches:
            check()
            if text not in diffs:
                diffs[text] = unified(buggy, patch, path)
            yield PatchRow._make((*of_bug, *judged, _names(failed), completion, diffs[text]))


def _bugs(session: Session, run_id: int, check: Callable[[], None]) -> Iterator[BugPatches]:
    """Bugs without candidates are left out."""
    for (bug_id, path, start, buggy, fixed), rows in benchmarks.candidates_with_texts(session, run_id):
        check()
        candidates = tuple(Candidate(*row[1:]) for row in rows)
        yield BugPatches(bug_id, path, start, buggy, fixed, unified(buggy, fixed, path), candidates)


@lru_cache(maxsize=1000)
def _names(failed: str) -> str:
    return " ".join(json.loads(failed))
