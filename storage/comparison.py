"""The bugs of several benchmark runs, read together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from storage.benchmarks import SUMMARY_COLUMNS
from storage.tables import Bug, Patch
from storage.texts import AT_ONCE

MATCHES = ("known_fix", "buggy_code", "first_known_fix", "first_known_tree", "trees_known")


def facts(session: Session, run_id: int, but: Sequence[int]) -> list[tuple[Any, ...]]:
    """(bug_id, language, kind, cwe, project, lines of the fault) of each bug of a run that no run in `but` has."""
    columns: tuple[Any, ...] = (
        col(Bug.bug_id),
        col(Bug.language),
        col(Bug.kind),
        col(Bug.cwe),
        col(Bug.project),
        col(Bug.end) - col(Bug.start) + 1,
    )
    query = select(*columns).where(col(Bug.run_id) == run_id)
    if but:
        query = query.where(col(Bug.bug_id).not_in(select(col(Bug.bug_id)).where(col(Bug.run_id).in_(but))))
    return _plain(session, query)


def projects(session: Session, run_ids: Sequence[int]) -> list[tuple[Any, ...]]:
    """(bug_id, project) of every bug whose project one of the runs knows; runs of earlier versions know none."""
    query = select(col(Bug.bug_id), col(Bug.project)).where(col(Bug.run_id).in_(run_ids), col(Bug.project) != "")
    return _plain(session, query)


def scored(session: Session, run_id: int) -> list[tuple[Any, ...]]:
    """(bug_id, MATCHES and the counts of SUMMARY_COLUMNS) of every bug of a run that was not set aside."""
    columns = (col(Bug.bug_id), *(getattr(Bug, name) for name in (*MATCHES, *SUMMARY_COLUMNS[2:-1])))
    query = select(*columns).where(col(Bug.run_id) == run_id, col(Bug.skipped) == "")
    return _plain(session, query)


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


def _plain(session: Session, query: Any) -> list[tuple[Any, ...]]:
    """Rows as SQLite's driver gives them, in half the time: the garbage collector need not follow plain tuples."""
    connection = session.connection()
    text = str(query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))
    return list(connection.connection.cursor().execute(text).fetchall())
