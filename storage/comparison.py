"""The bugs of several benchmark runs, read together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from storage.benchmarks import SUMMARY_COLUMNS
from storage.tables import Bug, Patch
from storage.texts import AT_ONCE


def bugs(session: Session, run_ids: Sequence[int]) -> Sequence[Any]:
    """(run_id, bug_id, language, kind, cwe, project, start, end, skipped, SUMMARY_COLUMNS but the last) of each bug."""
    named = (Bug.run_id, Bug.bug_id, Bug.language, Bug.kind, Bug.cwe, Bug.project)
    facts = (*named, Bug.start, Bug.end, Bug.skipped)
    columns = [*(col(column) for column in facts), *(getattr(Bug, name) for name in SUMMARY_COLUMNS[:-1])]
    query = select(*columns).where(col(Bug.run_id).in_(run_ids)).order_by(col(Bug.bug_id))
    return session.connection().execute(query).all()


def cells(session: Session, run_ids: Sequence[int], bug_ids: Iterable[str], ranks: int) -> Iterator[Any]:
    """(run_id, bug_id, rank, outcome) of the first `ranks` candidates of these bugs."""
    wanted = list(bug_ids)
    for start in range(0, len(wanted), AT_ONCE):
        query = (
            select(col(Bug.run_id), col(Bug.bug_id), col(Patch.rank), col(Patch.outcome))
            .join(Patch, col(Patch.bug) == Bug.id)
            .where(col(Bug.run_id).in_(run_ids), col(Bug.bug_id).in_(wanted[start : start + AT_ONCE]))
            .where(col(Patch.source) == "model", col(Patch.rank) <= ranks)
            .order_by(col(Patch.rank))
        )
        yield from session.connection().execute(query)
