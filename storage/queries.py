"""The questions asked of the tables, one small function each; filtering, sorting and paging happen in SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlmodel import Session, col

from storage.tables import Bug, Conversation, Dataset, Metric, Model, Patch, Run, Turn

LARGEST_ID = (1 << 63) - 1  # SQLite's; a larger number is an OverflowError there


def run(session: Session, run_id: int) -> Run | None:
    """The run of this number, whatever the number."""
    return session.get(Run, run_id) if 0 < run_id <= LARGEST_ID else None


def conversation(session: Session, conversation_id: int) -> Conversation | None:
    """The conversation of this number, whatever the number."""
    return session.get(Conversation, conversation_id) if 0 < conversation_id <= LARGEST_ID else None


def runs(session: Session, *, kind: str = "", search: str = "", group: str = "", limit: int = 200) -> Sequence[Run]:
    """Runs, newest first."""
    query = select(Run).order_by(col(Run.id).desc()).limit(limit)
    if kind:
        query = query.where(col(Run.kind) == kind)
    if group:
        query = query.where(col(Run.group) == group)
    if search:
        query = query.where(or_(_holds(col(Run.name), search), _holds(col(Run.kind), search)))
    return session.scalars(query).all()


def runs_in(session: Session, states: Sequence[str]) -> Sequence[Run]:
    """Runs in any of these states, oldest first."""
    return session.scalars(select(Run).where(col(Run.state).in_(states)).order_by(col(Run.id))).all()


def curves(session: Session, run_id: int) -> Sequence[tuple[str, int, float, float]]:
    """(name, step, value, time) of every metric of a run, in step order."""
    query = select(Metric.name, Metric.step, Metric.value, Metric.time).where(col(Metric.run_id) == run_id)  # type: ignore[call-overload]
    return [tuple(row) for row in session.execute(query.order_by(Metric.step, Metric.seq))]


def dataset_named(session: Session, name: str) -> Dataset | None:
    """The training set of this name."""
    return session.scalars(select(Dataset).where(col(Dataset.name) == name)).first()


def datasets(session: Session) -> Sequence[Dataset]:
    """Training sets, newest first."""
    return session.scalars(select(Dataset).order_by(col(Dataset.id).desc())).all()


def model_named(session: Session, name: str) -> Model | None:
    """The model of this name that a run has made."""
    return session.scalars(select(Model).where(col(Model.name) == name)).first()


def dataset_of(session: Session, run_id: int) -> Dataset | None:
    """The training set that a run has built."""
    return session.scalars(select(Dataset).where(col(Dataset.run_id) == run_id)).first()


def model_of(session: Session, run_id: int) -> Model | None:
    """The model that a run has made."""
    return session.scalars(select(Model).where(col(Model.run_id) == run_id)).first()


def models(session: Session) -> Sequence[Model]:
    """Models that runs have made, newest first."""
    return session.scalars(select(Model).order_by(col(Model.id).desc())).all()


@dataclass(frozen=True)
class LedgerQuery:
    """Which bugs of a benchmark run to show, in which order, and which page of them (from 1)."""

    search: str = ""
    show: str = "all"  # all | plausible | none_plausible | skipped
    language: str = ""
    sort: str = "bug"  # bug | first | count | kind
    descending: bool = False
    page: int = 1
    size: int = 20


def ledger(session: Session, run_id: int, asked: LedgerQuery) -> tuple[Sequence[tuple[Bug, int | None, int]], int]:
    """One page of (bug, first plausible rank, plausible candidates), and how many bugs match in all."""
    is_plausible = and_(col(Patch.source) == "model", col(Patch.outcome) == "plausible")
    first = func.min(case((is_plausible, Patch.rank)))
    count = func.count(case((is_plausible, 1)))
    joined = and_(col(Patch.run_id) == Bug.run_id, col(Patch.bug_id) == Bug.bug_id)
    query: Any = (
        select(Bug, first.label("first"), count.label("count"))
        .outerjoin(Patch, joined)
        .where(col(Bug.run_id) == run_id)
        .group_by(col(Bug.id))
    )
    if asked.search:
        columns = (Bug.bug_id, Bug.kind, Bug.cwe, Bug.path)
        query = query.where(or_(*(_holds(col(column), asked.search) for column in columns)))
    if asked.language:
        query = query.where(col(Bug.language) == asked.language)
    if asked.show == "plausible":
        query = query.having(count > 0)
    elif asked.show == "none_plausible":
        query = query.having(count == 0).where(col(Bug.skipped) == "")
    elif asked.show == "skipped":
        query = query.where(col(Bug.skipped) != "")
    orders: dict[str, list[ColumnElement[Any]]] = {
        "first": [first.is_(None), first.desc() if asked.descending else first.asc()],
        "count": [count.asc() if asked.descending else count.desc()],
        "kind": [col(Bug.kind).desc() if asked.descending else col(Bug.kind).asc()],
        "bug": [col(Bug.bug_id).desc() if asked.descending else col(Bug.bug_id).asc()],
    }
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    query = query.order_by(*orders.get(asked.sort, orders["bug"]), col(Bug.bug_id))
    rows = session.execute(query.limit(asked.size).offset((max(asked.page, 1) - 1) * asked.size)).all()
    return [(row[0], row[1], row[2]) for row in rows], total


def cells(session: Session, run_id: int, bug_ids: Sequence[str]) -> Sequence[tuple[str, str, int, str]]:
    """(bug id, source, rank, outcome) of all patches of these bugs, in rank order."""
    query = select(Patch.bug_id, Patch.source, Patch.rank, Patch.outcome)  # type: ignore[call-overload]
    query = query.where(col(Patch.run_id) == run_id, col(Patch.bug_id).in_(bug_ids)).order_by(Patch.rank)
    return [tuple(row) for row in session.execute(query)]


def patch(session: Session, run_id: int, bug_id: str, source: str, rank: int) -> Patch | None:
    """One patch by what identifies it."""
    chosen = (
        col(Patch.run_id) == run_id,
        col(Patch.bug_id) == bug_id,
        col(Patch.source) == source,
        col(Patch.rank) == rank,
    )
    return session.scalars(select(Patch).where(*chosen)).first()


def patches(session: Session, run_id: int) -> Sequence[Patch]:
    """Every patch of a run by bug, source and rank."""
    order = (col(Patch.bug_id), col(Patch.source), col(Patch.rank))
    return session.scalars(select(Patch).where(col(Patch.run_id) == run_id).order_by(*order)).all()


def bug(session: Session, run_id: int, bug_id: str) -> Bug | None:
    """One bug of a benchmark run."""
    return session.scalars(select(Bug).where(col(Bug.run_id) == run_id, col(Bug.bug_id) == bug_id)).first()


def bugs(session: Session, run_id: int) -> Sequence[Bug]:
    """The bugs of a benchmark run, by id."""
    return session.scalars(select(Bug).where(col(Bug.run_id) == run_id).order_by(col(Bug.bug_id))).all()


def known_fixes(session: Session, run_id: int) -> int:
    """How many bugs have a plausible patch of the model's that is the known fix to the letter."""
    same = and_(col(Patch.run_id) == Bug.run_id, col(Patch.bug_id) == Bug.bug_id, col(Patch.text) == Bug.fixed)
    query = select(func.count(func.distinct(Bug.bug_id))).join(Patch, same)
    mine = (col(Bug.run_id) == run_id, col(Patch.source) == "model", col(Patch.outcome) == "plausible")
    return session.scalar(query.where(*mine)) or 0


def outcomes(session: Session, run_id: int) -> dict[str, int]:
    """Outcome -> how many of the model's patches."""
    query = select(Patch.outcome, func.count()).where(col(Patch.run_id) == run_id, col(Patch.source) == "model")  # type: ignore[call-overload]
    return {row[0]: row[1] for row in session.execute(query.group_by(Patch.outcome))}


def conversations(session: Session) -> Sequence[tuple[Conversation, int]]:
    """(conversation, its turns), newest first."""
    query = select(Conversation, func.count(col(Turn.id))).outerjoin(Turn, col(Turn.conversation_id) == Conversation.id)
    query = query.group_by(col(Conversation.id)).order_by(col(Conversation.id).desc())
    return [(row[0], row[1]) for row in session.execute(query)]


def conversations_of(session: Session, run_id: int) -> Sequence[Conversation]:
    """The conversations that a worker holds."""
    return session.scalars(select(Conversation).where(col(Conversation.run_id) == run_id)).all()


def turns(session: Session, conversation_id: int) -> Sequence[Turn]:
    """The turns of a conversation, in order."""
    query = select(Turn).where(col(Turn.conversation_id) == conversation_id).order_by(col(Turn.number))
    return session.scalars(query).all()


def turn(session: Session, conversation_id: int, number: int) -> Turn | None:
    """One message of a conversation."""
    chosen = (col(Turn.conversation_id) == conversation_id, col(Turn.number) == number)
    return session.scalars(select(Turn).where(*chosen)).first()


def _holds(column: Any, text: str) -> ColumnElement[bool]:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    found: ColumnElement[bool] = column.ilike(f"%{escaped}%", escape="\\")
    return found
