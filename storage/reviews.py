"""The queries for people's reviews of patches: those of a patch or a run, and which patches still lack one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Subquery, and_, case, exists, func, select
from sqlmodel import Session, col

from storage.tables import Bug, Patch, Review
from storage.texts import AT_ONCE

# The plausible candidates of bugs that were not set aside: those that figures count, and that need a review.
PLAUSIBLE = (col(Patch.source) == "model", col(Patch.outcome) == "plausible", col(Bug.skipped) == "")


def of_patch(session: Session, patch_id: int) -> Sequence[Review]:
    """The reviews of a patch, oldest first."""
    query = select(Review).where(col(Review.patch_id) == patch_id)
    return session.scalars(query.order_by(col(Review.created_at))).all()


def one(session: Session, patch_id: int, reviewer: str) -> Review | None:
    """One person's review of a patch."""
    chosen = (col(Review.patch_id) == patch_id, col(Review.reviewer) == reviewer)
    return session.scalars(select(Review).where(*chosen)).first()


def of_run(session: Session, run_id: int) -> Sequence[Any]:
    """(review, bug id, source, rank, outcome) of every review of a run, by bug, source, rank and reviewer."""
    columns = (col(Bug.bug_id), col(Patch.source), col(Patch.rank), col(Patch.outcome))
    query = select(Review, *columns).join(Patch, col(Patch.id) == Review.patch_id)
    query = query.join(Bug, col(Bug.id) == Patch.bug).where(col(Review.run_id) == run_id)
    return session.execute(query.order_by(*columns[:3], col(Review.reviewer))).all()


def verdicts(session: Session, run_id: int) -> Sequence[Any]:
    """(patch id, reviewer, verdict) of every review of a run."""
    columns = (col(Review.patch_id), col(Review.reviewer), col(Review.verdict))
    return session.execute(select(*columns).where(col(Review.run_id) == run_id)).all()


def numbers(session: Session, run_id: int) -> dict[str, int]:
    """A reviewer's verdict -> how many patches of a run have it."""
    query = select(col(Review.verdict), func.count(func.distinct(Review.patch_id)))
    query = query.where(col(Review.run_id) == run_id).group_by(col(Review.verdict))
    return {row[0]: row[1] for row in session.execute(query)}


def of_plausible(session: Session, run_id: int, reviewer: str = "") -> Sequence[Any]:
    """(row of the bug, whether someone says correct, whether someone says incorrect) of each reviewed plausible patch.

    With a `reviewer`, of those that this person reviewed.
    """
    said = [func.max(col(Review.verdict) == verdict) for verdict in ("correct", "incorrect")]
    query = select(col(Patch.bug), *said).select_from(Review).join(Patch, col(Patch.id) == Review.patch_id)
    query = query.join(Bug, col(Bug.id) == Patch.bug).where(col(Review.run_id) == run_id, *PLAUSIBLE)
    if reviewer:
        query = query.where(col(Review.reviewer) == reviewer)
    return session.execute(query.group_by(col(Review.patch_id), col(Patch.bug))).all()


def of_bugs(session: Session, bug_rows: Sequence[int | None]) -> list[Any]:
    """(row of the bug, rank, reviewer) of every review of the candidates of these bugs."""
    found: list[Any] = []
    query = select(col(Patch.bug), col(Patch.rank), col(Review.reviewer)).join(Review, col(Review.patch_id) == Patch.id)
    for start in range(0, len(bug_rows), AT_ONCE):
        here = col(Patch.bug).in_(bug_rows[start : start + AT_ONCE])
        found += session.execute(query.where(here, col(Patch.source) == "model"))
    return found


def counted(run_id: int) -> Subquery:
    """Patch id -> how many reviewers say correct, incorrect and unsure, for joining to the patches of a run."""
    said = {
        verdict: case((col(Review.verdict) == verdict, 1), else_=0) for verdict in ("correct", "incorrect", "unsure")
    }
    query = select(col(Review.patch_id), *(func.sum(one).label(verdict) for verdict, one in said.items())).where(
        col(Review.run_id) == run_id
    )
    return query.group_by(col(Review.patch_id)).subquery()


def lacks_review(reviewer: str) -> ColumnElement[bool]:
    """Whether a patch has no review by this person; without a name, by anybody."""
    mine = [col(Review.reviewer) == reviewer] if reviewer else []
    return ~exists().where(col(Review.patch_id) == Patch.id, *mine)


def has_unreviewed(run_id: int, reviewer: str) -> ColumnElement[bool]:
    """Whether a bug that has plausible candidates has one that lacks such a review.

    Found from the reviews, of which there are few, and not from the patches.
    """
    mine = [col(Review.reviewer) == reviewer] if reviewer else []
    reviewed = select(col(Patch.bug)).select_from(Review).join(Patch, col(Patch.id) == Review.patch_id)
    reviewed = reviewed.join(Bug, col(Bug.id) == Patch.bug).where(col(Review.run_id) == run_id, *PLAUSIBLE, *mine)
    done = reviewed.group_by(col(Patch.bug)).having(func.count(func.distinct(Patch.id)) >= func.max(Bug.plausible))
    return col(Bug.id).not_in(done.correlate(None))


def unreviewed_beside(
    session: Session, run_id: int, reviewer: str, bug_id: str, rank: int, *, is_before: bool
) -> tuple[str, int] | None:
    """(bug id, rank) of the nearest plausible patch without a review after this one, or before it; they go round.

    None where no other patch lacks one. The order is that of bug ids, then of ranks.
    """
    at, of = col(Bug.bug_id), col(Patch.rank)
    order = (at.desc(), of.desc()) if is_before else (at, of)
    other_bug, other_rank = (at < bug_id, of < rank) if is_before else (at > bug_id, of > rank)
    found = select(at, of).join(Patch, col(Patch.bug) == Bug.id)
    wanted = found.where(col(Bug.run_id) == run_id, col(Bug.plausible) > 0, *PLAUSIBLE, lacks_review(reviewer))
    wanted = wanted.order_by(*order).limit(1)
    # One after the other: the index is searched for each, and would be read from its start for one OR the other.
    for place in (and_(at == bug_id, other_rank), other_bug, ~and_(at == bug_id, of == rank)):
        if row := session.execute(wanted.where(place)).first():
            return row[0], row[1]
    return None
