"""The queries for runs, their results and conversations, one small function each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlmodel import Session, col

from storage.tables import Conversation, ConversationNumber, Dataset, Model, OutcomeCount, Run, Turn

LARGEST_ID = (1 << 63) - 1  # SQLite's; a larger number is an OverflowError there
LONGEST_SOUGHT = 1000  # characters; SQLite refuses a pattern of more than 50,000 bytes


def patches_in_all(session: Session) -> int:
    """The model's candidates of all runs together."""
    return session.scalar(select(func.sum(OutcomeCount.candidates))) or 0


def run(session: Session, run_id: int) -> Run | None:
    """The run of this number; None if there is none, also for numbers that SQLite cannot store."""
    return session.get(Run, run_id) if 0 < run_id <= LARGEST_ID else None


def conversation(session: Session, conversation_id: int) -> Conversation | None:
    """The conversation of this number; None if there is none, also for numbers that SQLite cannot store."""
    return session.get(Conversation, conversation_id) if 0 < conversation_id <= LARGEST_ID else None


def conversation_in(session: Session, run_id: int, number: int) -> Conversation | None:
    """The conversation that has this number in the folder of a run; None if there is none."""
    known = session.get(ConversationNumber, (run_id, number))
    return conversation(session, known.conversation_id if known else number)


def number_in(session: Session, run_id: int, conversation_id: int) -> int:
    """The number of a conversation in the folder of a run."""
    chosen = (col(ConversationNumber.run_id) == run_id, col(ConversationNumber.conversation_id) == conversation_id)
    return session.scalars(select(col(ConversationNumber.number)).where(*chosen)).first() or conversation_id


def has_other_numbers(session: Session, run_id: int) -> bool:
    """Whether some conversation has another number in the folder of this run than here."""
    chosen = col(ConversationNumber.run_id) == run_id
    return session.scalars(select(col(ConversationNumber.number)).where(chosen).limit(1)).first() is not None


def runs(
    session: Session,
    *,
    kind: str = "",
    kinds: Sequence[str] = (),
    states: Sequence[str] = (),
    search: str = "",
    group: str = "",
    limit: int = 200,
) -> Sequence[Run]:
    """Runs of a kind, or of one of several, and in one of some states, newest first."""
    query = select(Run).order_by(col(Run.id).desc()).limit(limit)
    if kind:
        query = query.where(col(Run.kind) == kind)
    if kinds:
        query = query.where(col(Run.kind).in_(kinds))
    if states:
        query = query.where(col(Run.state).in_(states))
    if group:
        query = query.where(col(Run.group) == group)
    if search:
        query = query.where(or_(*(holds(col(part), search) for part in (Run.name, Run.kind, Run.note))))
    return session.scalars(query).all()


def groups(session: Session, prefix: str) -> Sequence[str]:
    """The groups of runs whose name begins with `prefix`, in ASCII, the newest first."""
    after = prefix[:-1] + chr(ord(prefix[-1]) + 1)  # a range, so that the index is enough
    query = select(col(Run.group)).where(col(Run.group) >= prefix, col(Run.group) < after)
    return session.scalars(query.group_by(col(Run.group)).order_by(func.max(col(Run.id)).desc())).all()


def runs_in(session: Session, states: Sequence[str]) -> Sequence[Run]:
    """Runs in any of these states, in the order of the queue."""
    return session.scalars(select(Run).where(col(Run.state).in_(states)).order_by(col(Run.place), col(Run.id))).all()


def in_order(session: Session, run_ids: Sequence[int]) -> Sequence[Run]:
    """The runs of these numbers, at most some hundred, in the order of these; without those that there are not."""
    found = {run.id: run for run in session.scalars(select(Run).where(col(Run.id).in_(run_ids)))}
    return [found[run_id] for run_id in run_ids if run_id in found]


def dataset_named(session: Session, name: str) -> Dataset | None:
    """The dataset of this name."""
    return session.scalars(select(Dataset).where(col(Dataset.name) == name)).first()


def datasets(session: Session) -> Sequence[Dataset]:
    """Datasets, newest first."""
    return session.scalars(select(Dataset).order_by(col(Dataset.id).desc())).all()


def model_named(session: Session, name: str) -> Model | None:
    """The model of this name that was made by a run."""
    return session.scalars(select(Model).where(col(Model.name) == name)).first()


def run_in(session: Session, folder: str) -> Run | None:
    """The run whose folder this is."""
    return session.scalars(select(Run).where(col(Run.folder) == folder)).first()


def dataset_of(session: Session, run_id: int) -> Dataset | None:
    """The dataset that was built by a run."""
    return session.scalars(select(Dataset).where(col(Dataset.run_id) == run_id)).first()


def model_of(session: Session, run_id: int) -> Model | None:
    """The model that was made by a run."""
    return session.scalars(select(Model).where(col(Model.run_id) == run_id)).first()


def models(session: Session) -> Sequence[Model]:
    """Models made by runs, newest first."""
    return session.scalars(select(Model).order_by(col(Model.id).desc())).all()


def conversations(session: Session, text: str = "") -> Sequence[tuple[Conversation, int]]:
    """(conversation, its turns), newest first; with `text` in its title, its bug's id or its model's name."""
    query = select(Conversation, func.count(col(Turn.id))).outerjoin(Turn, col(Turn.conversation_id) == Conversation.id)
    query = query.where(col(Conversation.deleted_at).is_(None))
    if text:
        searched = (Conversation.title, Conversation.bug_id, Conversation.model)
        query = query.where(or_(*(holds(col(column), text) for column in searched)))
    query = query.group_by(col(Conversation.id)).order_by(col(Conversation.id).desc())
    return [(row[0], row[1]) for row in session.execute(query)]


def conversations_of(session: Session, run_id: int) -> Sequence[Conversation]:
    """The conversations of a chat worker."""
    return session.scalars(select(Conversation).where(col(Conversation.run_id) == run_id)).all()


def rename_in_conversations(session: Session, old: str, new: str) -> None:
    """The conversations with a model are then with the same one under another name."""
    session.execute(update(Conversation).where(col(Conversation.model) == old).values(model=new))


def path(session: Session, conversation_id: int, to: int | None = None) -> Sequence[Turn]:
    """The turns from the first to number `to` (to the newest where None), each the parent of the next."""
    here = select(col(Turn.id), col(Turn.parent_id)).where(col(Turn.conversation_id) == conversation_id)
    here = here.where(col(Turn.number) == to) if to is not None else here.order_by(col(Turn.number).desc()).limit(1)
    way = select(here.subquery()).cte(recursive=True)
    way = way.union(select(col(Turn.id), col(Turn.parent_id)).join(way, col(Turn.id) == way.c.parent_id))
    return session.scalars(select(Turn).join(way, col(Turn.id) == way.c.id).order_by(col(Turn.number))).all()


def turns(session: Session, conversation_id: int) -> Sequence[Turn]:
    """All turns of a conversation, as they came."""
    return session.scalars(
        select(Turn).where(col(Turn.conversation_id) == conversation_id).order_by(col(Turn.number))
    ).all()


def delete_turns(session: Session, conversation_id: int) -> None:
    """Delete the messages of a conversation."""
    chosen = col(Turn.conversation_id) == conversation_id
    session.execute(update(Turn).where(chosen).values(parent_id=None))  # a message may not go before those after it
    session.execute(delete(Turn).where(chosen))


def beside(session: Session, conversation_id: int) -> int | None:
    """The newest conversation that is shown beside this one, or that this one is shown beside."""
    pair = or_(
        col(Conversation.beside_id) == conversation_id,
        col(Conversation.id).in_(select(col(Conversation.beside_id)).where(col(Conversation.id) == conversation_id)),
    )
    chosen = select(col(Conversation.id)).where(pair, col(Conversation.deleted_at).is_(None))
    return session.scalars(chosen.order_by(col(Conversation.id).desc()).limit(1)).first()


class Place(NamedTuple):
    """Where a turn stands in its conversation."""

    number: int
    id: int
    parent_id: int | None  # the turn that it follows
    run_id: int | None  # that made it


def tree(session: Session, conversation_id: int) -> list[Place]:
    """The place of each turn, as they came."""
    columns = (col(Turn.number), col(Turn.id), col(Turn.parent_id), col(Turn.run_id))
    found = session.execute(
        select(*columns).where(col(Turn.conversation_id) == conversation_id).order_by(col(Turn.number))
    )
    return [Place(*row) for row in found]


def turn_before(session: Session, conversation_id: int, number: int) -> Turn | None:
    """The newest message of a conversation with a smaller number."""
    chosen = (col(Turn.conversation_id) == conversation_id, col(Turn.number) < number)
    return session.scalars(select(Turn).where(*chosen).order_by(col(Turn.number).desc()).limit(1)).first()


def turn(session: Session, conversation_id: int, number: int) -> Turn | None:
    """One message of a conversation."""
    chosen = (col(Turn.conversation_id) == conversation_id, col(Turn.number) == number)
    return session.scalars(select(Turn).where(*chosen)).first()


def holds(column: Any, text: str) -> ColumnElement[bool]:
    """Whether a column contains the beginning of this text, ignoring the case of ASCII letters."""
    escaped = text[:LONGEST_SOUGHT].replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    found: ColumnElement[bool] = column.like(f"%{escaped}%", escape="\\")
    return found
