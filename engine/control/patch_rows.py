"""Writes bugs and patches of a benchmark run to rows, many at a time, with the columns that pages sort and sum by."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sqlmodel import Session

from engine.domain import Outcome
from engine.events import BUGGY_CODE, KNOWN_FIX, MODEL, BugEvent, PatchEvent
from engine.plugins import BENCHMARKS
from engine.ranking import Ranked, tops
from engine.scoring import CandidateSummary
from storage import bulk, texts


class PatchRows:
    """Events of bugs and patches of one run that are not stored yet; a later event of a patch replaces the first."""

    def __init__(self, session: Session, run_id: int) -> None:
        self._session = session
        self._run_id = run_id
        self._bugs: dict[str, BugEvent] = {}
        self._patches: dict[tuple[str, str, int], PatchEvent] = {}

    def add(self, event: BugEvent | PatchEvent) -> None:
        """Under the id that its bug has today: that of an earlier version could not be compared."""
        if isinstance(event, BugEvent):
            bug_id = BENCHMARKS.current(event.id)
            self._bugs[bug_id] = event if bug_id == event.id else replace(event, id=bug_id)
        else:
            bug_id = BENCHMARKS.current(event.bug_id)
            event = event if bug_id == event.bug_id else replace(event, bug_id=bug_id)
            self._patches[bug_id, event.source, event.rank] = event

    def store(self) -> None:
        """Write the rows and update the columns computed from them; storing the same again changes nothing."""
        if not self._bugs and not self._patches:
            return
        text_ids = texts.store(self._session, self._all_texts())
        row_of = self._store_bugs(text_ids)
        rows = list(row_of.values())
        before = bulk.outcomes(self._session, rows)
        patches = [_patch_row(row_of[event.bug_id], event, text_ids) for event in self._patches.values()]
        bulk.put_patches(self._session, patches)
        bulk.mark_known_fixes(self._session, rows)
        cells = bulk.cells(self._session, rows)
        bulk.set_summaries(self._session, _summaries(rows, cells))
        more = Counter(cell.outcome for cell in cells if cell.source == MODEL)
        more.subtract(before)
        bulk.count_outcomes(self._session, self._run_id, more)

    def _all_texts(self) -> set[str]:
        found = {""}
        for bug in self._bugs.values():
            found |= {bug.buggy, bug.fixed}
        for patch in self._patches.values():
            found |= {patch.completion, patch.text or "", patch.verdict.log, _names(patch), patch.prompt}
        return found

    def _store_bugs(self, text_ids: dict[str, int]) -> dict[str, int]:
        """Returns bug id -> id of its row, of all bugs that events are about.

        A patch may come before its bug: the bug's row then has only its id, until its own event comes.
        """
        rows = []
        for event in self._bugs.values():
            values = dict(vars(event))
            buggy, fixed = text_ids[values.pop("buggy")], text_ids[values.pop("fixed")]
            rows.append({"run_id": self._run_id, "bug_id": values.pop("id"), **values} | _texts_of_bug(buggy, fixed))
        bulk.put_bugs(self._session, rows)
        named = {*self._bugs, *(event.bug_id for event in self._patches.values())}
        row_of = bulk.bugs(self._session, self._run_id, named)
        if missing := sorted(named - row_of.keys()):
            nothing = _texts_of_bug(text_ids[""], text_ids[""])
            only_named = [{"run_id": self._run_id, "bug_id": bug_id, **nothing} for bug_id in missing]
            bulk.put_bugs(self._session, only_named)
            row_of |= bulk.bugs(self._session, self._run_id, missing)
        return row_of


def _summaries(bugs: list[int], cells: list[Any]) -> dict[int, dict[str, Any]]:
    """Row of a bug -> its columns that are computed from its patches."""
    outcomes: dict[int, dict[int, str]] = {bug: {} for bug in bugs}
    controls: dict[int, dict[str, str]] = {bug: {} for bug in bugs}
    written: dict[int, list[Any]] = {bug: [] for bug in bugs}  # by the model
    for cell in cells:
        if cell.source == MODEL:
            outcomes[cell.bug][cell.rank] = cell.outcome
            written[cell.bug].append(cell)
        else:
            controls[cell.bug][cell.source] = cell.outcome
    return {
        bug: {
            "known_fix": controls[bug].get(KNOWN_FIX),
            "buggy_code": controls[bug].get(BUGGY_CODE),
            **vars(CandidateSummary.of(outcomes[bug])),
            **_of_candidates(written[bug]),
        }
        for bug in bugs
    }


def _of_candidates(cells: list[Any]) -> dict[str, Any]:
    """Columns of a bug beside its summary, from the cells of its candidates in rank order."""
    plausible = [cell for cell in cells if cell.outcome == Outcome.PLAUSIBLE]
    first_fix = next((cell.rank for cell in plausible if cell.is_known_fix), None)
    ranked = [
        Ranked(cell.rank, cell.outcome, cell.score, cell.tokens_written, _same(cell), cell.edit) for cell in cells
    ]
    return {
        "has_known_fix": first_fix is not None,
        "first_known_fix": first_fix,
        "first_known_tree": next((cell.rank for cell in plausible if cell.is_known_tree), None),
        "trees_known": all(cell.is_known_tree is not None for cell in cells if cell.patch_text is not None),
        "tokens_written": _sum(cell.tokens_written for cell in cells),
        "tokens_read": _sum(cell.tokens_read for cell in cells),
        **{f"top_{order}": is_plausible for order, is_plausible in tops(ranked).items()},
    }


def _same(cell: Any) -> str | None:
    """Equal for equal patches."""
    return None if cell.patch_text is None else cell.tree or str(cell.patch_text)


def _sum(tokens: Iterable[int | None]) -> int | None:
    known = list(tokens)
    return None if None in known else sum(each or 0 for each in known)


def _texts_of_bug(buggy: int, fixed: int) -> dict[str, int]:
    return {"buggy_text": buggy, "fixed_text": fixed}


def _names(event: PatchEvent) -> str:
    return json.dumps(list(event.verdict.failed))


def _patch_row(bug: int, event: PatchEvent, text_ids: dict[str, int]) -> dict[str, Any]:
    verdict = event.verdict
    return {
        "bug": bug,
        "source": event.source,
        "rank": event.rank,
        "completion_text": text_ids[event.completion],
        "patch_text": None if event.text is None else text_ids[event.text],
        "prompt_text": text_ids[event.prompt] if event.prompt else None,
        "score": event.score,
        "same_as": event.same_as,
        "outcome": verdict.outcome.value,
        "reason": verdict.reason,
        "log_text": text_ids[verdict.log],
        "failed_text": text_ids[_names(event)],
        "duration_s": verdict.duration_s,
        "sandbox": verdict.sandbox,
        "isolation": verdict.isolation.value,
        "stages": verdict.stages,
        **{name: getattr(event, name) for name in ("tokens_written", "tokens_read", "tree", "is_known_tree", "edit")},
    }
