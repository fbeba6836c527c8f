"""Bugs and patches of a benchmark run, read and written many at a time, by statements that are built once.

They are for tables and not for their classes: a worker's few events are stored many times a second, and to make a
statement of classes takes SQLAlchemy longer than SQLite needs to execute it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Row, Table, bindparam, func, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlmodel import Session, SQLModel

from storage.tables import Bug, OutcomeCount, Patch
from storage.texts import AT_ONCE

BUG, PATCH, COUNT = (SQLModel.metadata.tables[str(table.__tablename__)] for table in (Bug, Patch, OutcomeCount))
KEYS = {BUG: ("run_id", "bug_id"), PATCH: ("bug", "source", "rank")}

_here = PATCH.c.bug.in_(bindparam("bugs", expanding=True))
_named = BUG.c.bug_id.in_(bindparam("names", expanding=True))
_ids = select(BUG.c.bug_id, BUG.c.id).where(BUG.c.run_id == bindparam("run"), _named)
_outcomes = select(PATCH.c.outcome, func.count()).where(_here, PATCH.c.source == "model").group_by(PATCH.c.outcome)
_cells = select(
    *(PATCH.c[name] for name in ("bug", "source", "rank", "outcome", "is_known_fix", "is_known_tree", "tree")),
    *(PATCH.c[name] for name in ("patch_text", "score", "edit", "tokens_written", "tokens_read")),
)
_cells = _cells.where(_here).order_by(PATCH.c.bug, PATCH.c.rank)
_is_known_fix = PATCH.c.patch_text.is_not_distinct_from(
    select(BUG.c.fixed_text).where(BUG.c.id == PATCH.c.bug).scalar_subquery()
)
_mark = update(PATCH).where(_here, PATCH.c.is_known_fix != _is_known_fix).values(is_known_fix=_is_known_fix)
_summary = update(BUG).where(BUG.c.id == bindparam("row"))
_count = insert(COUNT)
_count = _count.on_conflict_do_update(
    index_elements=["run_id", "outcome"], set_={"candidates": COUNT.c.candidates + _count.excluded.candidates}
)


def bugs(session: Session, run_id: int, names: Iterable[str]) -> dict[str, int]:
    """Bug id -> id of its row, for those of these bugs that the run has."""
    wanted = list(names)
    return {
        row[0]: row[1]
        for start in range(0, len(wanted), AT_ONCE)
        for row in session.execute(_ids, {"run": run_id, "names": wanted[start : start + AT_ONCE]}).all()
    }


def put_bugs(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert bugs that all have the same columns; what one with the same id had in these is replaced."""
    _put(session, BUG, rows)


def put_patches(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """The same of patches, by bug, source and rank."""
    _put(session, PATCH, rows)


def cells(session: Session, bug_rows: Sequence[int | None]) -> list[Row[Any]]:
    """What a summary of these bugs is made from: columns of all their patches, in rank order."""
    return [
        row
        for start in range(0, len(bug_rows), AT_ONCE)
        for row in session.execute(_cells, {"bugs": bug_rows[start : start + AT_ONCE]}).all()
    ]


def outcomes(session: Session, bug_rows: Sequence[int]) -> Counter[str]:
    """Outcome -> how many of the model's candidates for these bugs have it."""
    found: Counter[str] = Counter()
    for start in range(0, len(bug_rows), AT_ONCE):
        here = {"bugs": bug_rows[start : start + AT_ONCE]}
        found.update({row[0]: row[1] for row in session.execute(_outcomes, here).all()})
    return found


def mark_known_fixes(session: Session, bug_rows: Sequence[int]) -> None:
    """Store of each patch of these bugs whether its text is the known fix."""
    for start in range(0, len(bug_rows), AT_ONCE):
        session.execute(_mark, {"bugs": bug_rows[start : start + AT_ONCE]})


def set_summaries(session: Session, columns: Mapping[int, Mapping[str, Any]]) -> None:
    """Set columns of bugs, the same of each, by the id of its row."""
    if columns:
        session.execute(_summary, [{"row": row, **values} for row, values in columns.items()])


def count_outcomes(session: Session, run_id: int, more: Mapping[str, int]) -> None:
    """Add to the counts by outcome; values of `more` may be negative."""
    rows = [{"run_id": run_id, "outcome": outcome, "candidates": number} for outcome, number in more.items() if number]
    if rows:
        session.execute(_count, rows)


def _put(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        session.execute(_replacing(table, tuple(rows[0])), rows)


@cache
def _replacing(table: Table, columns: tuple[str, ...]) -> Any:
    """Inserts rows with these columns, or replaces those with the same key."""
    statement = insert(table)
    changed = {name: statement.excluded[name] for name in columns if name not in KEYS[table]}
    return statement.on_conflict_do_update(index_elements=KEYS[table], set_=changed)
