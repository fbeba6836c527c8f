"""People's reviews of patches: given, withdrawn, read for a patch or a run, with how far each two reviewers agree."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlmodel import Session

from engine.control.lookup import find_patch, find_run
from engine.domain import Outcome
from engine.errors import UserError
from engine.events import MODEL
from engine.params import is_unicode, shown
from engine.scoring import Agreement, agreements
from engine.specs import WITH_PATCHES
from storage import benchmarks, reviews
from storage.database import Database
from storage.tables import Review

VERDICTS = ("correct", "incorrect", "unsure")  # of a person
LONGEST_NAME, LONGEST_NOTE = 100, 10_000  # characters


@dataclass(frozen=True)
class Reviewed:
    """One person's review of a patch; name and note are hostile text."""

    reviewer: str
    verdict: str  # correct | incorrect | unsure
    note: str
    at: float  # seconds since the epoch


@dataclass(frozen=True)
class ReviewOfRun:
    """One review of a run, and the patch that it is of."""

    bug_id: str
    source: str
    rank: int
    outcome: str  # of the patch now
    review: Reviewed


@dataclass(frozen=True)
class ReviewTotals:
    """How far the plausible patches of a run are reviewed.

    A patch is correct if somebody says so and nobody says that it is incorrect; who is unsure decides nothing.
    """

    plausible: int  # patches, without those of bugs that were set aside
    reviewed: int  # of these, by anybody
    correct: int  # of these
    correct_bugs: int  # with a correct patch


@dataclass(frozen=True)
class RunReviews:
    """All reviews of a run."""

    totals: ReviewTotals
    reviews: tuple[ReviewOfRun, ...]  # by bug, source, rank and reviewer
    agreements: tuple[Agreement, ...]  # of each two reviewers who have reviewed a patch both


@dataclass(frozen=True)
class PatchReviews:
    """What one reviewer needs beside a patch."""

    is_plausible: bool  # so that there is something to review
    mine: Reviewed | None
    others: tuple[Reviewed, ...]  # oldest first
    before: tuple[str, int] | None  # (bug id, rank) of the nearest plausible patch that lacks my review
    after: tuple[str, int] | None
    left: int  # plausible patches of the run that lack my review
    agreements: tuple[Agreement, ...]


class Reviews:
    """The reviews in a workspace."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def give(
        self, run_id: int, bug_id: str, source: str, rank: int, *, reviewer: str, verdict: str, note: str = ""
    ) -> None:
        """Store a person's review of a patch; it replaces the same person's earlier one. Raises UserError."""
        reviewer, note = _checked("reviewer", reviewer, LONGEST_NAME), _checked("note", note, LONGEST_NOTE)
        if verdict not in VERDICTS:
            raise UserError(f"verdict: should be one of {', '.join(VERDICTS)} (got {verdict!r})", field="verdict")
        if not reviewer:
            raise UserError("reviewer: enter the reviewer's name", field="reviewer")
        with self._database.write() as session:
            _, patch = find_patch(session, run_id, bug_id, source, rank)
            assert patch.id is not None
            row = reviews.one(session, patch.id, reviewer)
            row = row or Review(run_id=run_id, patch_id=patch.id, reviewer=reviewer, verdict="", created_at=0.0)
            row.verdict, row.note, row.created_at = verdict, note, time.time()
            session.add(row)

    def withdraw(self, run_id: int, bug_id: str, source: str, rank: int, reviewer: str) -> None:
        """Delete a person's review of a patch. Raises UserError where there is none."""
        reviewer = reviewer.strip()
        if not reviewer:
            raise UserError("reviewer: enter the name of the one who gave the review", field="reviewer")
        with self._database.write() as session:
            _, patch = find_patch(session, run_id, bug_id, source, rank)
            row = reviews.one(session, patch.id or 0, reviewer)
            if row is None:
                raise UserError(
                    f"reviewer: {shown(reviewer)} has no review of this patch to withdraw", field="reviewer"
                )
            session.delete(row)

    def annotate(self, run_id: int, bug_id: str, source: str, rank: int, reviewer: str, note: str) -> None:
        """Replace the note of a person's review; nothing where there is no such review. Raises UserError."""
        note = _checked("note", note, LONGEST_NOTE)
        with self._database.write() as session:
            found = benchmarks.patch(session, run_id, bug_id, source, rank)
            row = reviews.one(session, found[1].id or 0, reviewer.strip()) if found else None
            if row is not None and row.note != note:
                row.note = note
                session.add(row)

    def of_patch(self, run_id: int, bug_id: str, source: str, rank: int, reviewer: str) -> PatchReviews:
        """What `reviewer` needs beside a patch; without a name, patches lack a review if nobody gave one.

        Raises UserError if there is no such patch.
        """
        reviewer = reviewer.strip()
        with self._database.read() as session:
            bug, patch = find_patch(session, run_id, bug_id, source, rank)
            said = [_reviewed(row) for row in reviews.of_patch(session, patch.id or 0)]
            before, after = (
                reviews.unreviewed_beside(session, run_id, reviewer, bug_id, rank, is_before=is_before)
                for is_before in (True, False)
            )
            plausible = benchmarks.outcomes(session, run_id).get(Outcome.PLAUSIBLE, 0)
            mine = len(reviews.of_plausible(session, run_id, reviewer))
            agreed = _agreements(session, run_id)
        return PatchReviews(
            is_plausible=source == MODEL and patch.outcome == Outcome.PLAUSIBLE and not bug.skipped,
            mine=next((each for each in said if each.reviewer == reviewer), None),
            others=tuple(each for each in said if each.reviewer != reviewer),
            before=before,
            after=after,
            left=plausible - mine,
            agreements=tuple(agreed),
        )

    def note(self, run_id: int, bug_id: str, source: str, rank: int, reviewer: str) -> str:
        """What a person noted about a patch; empty if nothing, or if there is no such patch."""
        with self._database.read() as session:
            found = benchmarks.patch(session, run_id, bug_id, source, rank)
            row = reviews.one(session, found[1].id or 0, reviewer.strip()) if found else None
            return row.note if row else ""

    def of_run(self, run_id: int) -> RunReviews:
        """All reviews of a run. Raises UserError if it is unknown, or has no patches."""
        with self._database.read() as session:
            run = find_run(session, run_id)
            if run.kind not in WITH_PATCHES:
                raise UserError(f"run {run_id} ({run.name}) is a {run.kind} run, which has no patches")
            given = tuple(
                ReviewOfRun(bug_id, source, rank, outcome, _reviewed(row))
                for row, bug_id, source, rank, outcome in reviews.of_run(session, run_id)
            )
            plausible = benchmarks.outcomes(session, run_id).get(Outcome.PLAUSIBLE, 0)
            return RunReviews(totals_of(session, run_id, plausible), given, tuple(_agreements(session, run_id)))


def _checked(name: str, text: str, most: int) -> str:
    """The text without spaces around it. Raises UserError where it cannot be stored."""
    text = text.strip()
    if len(text) > most:
        raise UserError(f"{name}: should be at most {most:,} characters long (got {len(text):,})", field=name)
    if not is_unicode(text) or "\0" in text:
        raise UserError(f"{name}: is not valid text; write it in UTF-8", field=name)
    return text


def totals_of(session: Session, run_id: int, plausible: int) -> ReviewTotals:
    """The totals of a run with so many plausible patches."""
    said = reviews.of_plausible(session, run_id)
    correct = [bug for bug, is_correct, is_incorrect in said if is_correct and not is_incorrect]
    return ReviewTotals(plausible, len(said), len(correct), len(set(correct)))


def _agreements(session: Session, run_id: int) -> list[Agreement]:
    verdicts: dict[str, dict[int, str]] = {}
    for patch_id, reviewer, verdict in reviews.verdicts(session, run_id):
        verdicts.setdefault(reviewer, {})[patch_id] = verdict
    return agreements(verdicts)


def _reviewed(row: Review) -> Reviewed:
    return Reviewed(row.reviewer, row.verdict, row.note, row.created_at)
