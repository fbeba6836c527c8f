"""Removes a run with all rows that belong to it alone; texts stay, since other rows may have the same."""

from __future__ import annotations

from sqlalchemy import delete, select, update
from sqlmodel import Session, col

from storage.tables import (
    Bug,
    Conversation,
    ConversationNumber,
    Dataset,
    LastMetric,
    Metric,
    Model,
    OutcomeCount,
    Patch,
    Review,
    Run,
    Turn,
)


def remove_run(session: Session, run_id: int) -> None:
    """Delete the run, its metrics, patches, reviews, conversations, and the dataset or model that it made."""
    bugs = select(col(Bug.id)).where(col(Bug.run_id) == run_id)
    conversations = select(col(Conversation.id)).where(col(Conversation.run_id) == run_id)
    turns = select(col(Turn.id)).where(col(Turn.conversation_id).in_(conversations))
    session.execute(update(Turn).where(col(Turn.parent_id).in_(turns)).values(parent_id=None))
    for statement in (
        delete(Turn).where(col(Turn.conversation_id).in_(conversations)),
        update(Turn).where(col(Turn.run_id) == run_id).values(run_id=None),
        delete(ConversationNumber).where(col(ConversationNumber.conversation_id).in_(conversations)),
        delete(ConversationNumber).where(col(ConversationNumber.run_id) == run_id),
        delete(Conversation).where(col(Conversation.run_id) == run_id),
        delete(Review).where(col(Review.run_id) == run_id),
        delete(Patch).where(col(Patch.bug).in_(bugs)),
        *(delete(table).where(col(table.run_id) == run_id) for table in (Bug, OutcomeCount, Metric, LastMetric)),
        *(delete(table).where(col(table.run_id) == run_id) for table in (Dataset, Model)),
        update(Run).where(col(Run.after) == run_id).values(after=None),
        delete(Run).where(col(Run.id) == run_id),
    ):
        session.execute(statement)
