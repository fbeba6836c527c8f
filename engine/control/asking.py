"""Puts a question to a chat worker, with what it has to know of what was said and asked elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlmodel import Session

from engine.control.inboxes import unsaid
from engine.control.loaded import UNLOADED, own_settings
from engine.control.sync import ingest
from engine.control.turns import turns_for_worker
from engine.errors import UserError
from engine.rundir import RunDir
from engine.specs import ChatSpec
from storage import queries
from storage.tables import Conversation, Run


@dataclass(frozen=True)
class Message:
    """What a user sends."""

    text: str  # may be empty
    budget: int  # turns of the model
    after: int | None  # number of the turn that the answer follows, 0: none; None: the newest


def ask(
    session: Session, seen: Conversation, run: Run, spec: ChatSpec, settings: dict[str, Any], sent: Message
) -> None:
    """Ask the worker of `run` within one transaction; a message that another one left unsaid goes before the new one.

    `seen`: the conversation as it was when `run` was chosen for it. Raises UserError if it has changed since.
    """
    # One transaction: if two messages are sent at once the second is refused, and the worker gets exactly the turns
    # stored by then. The question is written before the row, so that no question is counted that was not asked.
    conversation = session.get_one(Conversation, seen.id)
    here = conversation.id or 0
    before = session.get_one(Run, conversation.run_id)
    if before.state == "stopping":
        _read_rest(session, before)
    is_open = conversation.answered < conversation.asked
    if conversation.run_id == seen.run_id and is_open and before.state not in UNLOADED:
        raise UserError("the model is still answering; wait for it or stop it first")
    if (conversation.run_id, conversation.asked) != (seen.run_id, seen.asked):
        raise UserError("another message of this conversation was sent just now; wait for its answer")
    if session.get_one(Run, run.id).state in UNLOADED:
        raise UserError("the model was unloaded just now; send your message again")
    numbers = [place.number for place in queries.tree(session, here)]
    _check_branch(sent.after, numbers)
    text, after = sent.text, sent.after
    if is_open:
        left, place = unsaid(session, before, conversation, len(numbers))
        text = "\n\n".join(dict.fromkeys(each for each in (left, text) if each))  # sent again, it is said once
        after = place if left and after is None else after
        _withdraw(session, before, conversation)
    folder = RunDir(Path(run.folder))
    is_moved = conversation.run_id != run.id or not folder.events_path.exists()
    conversation.run_id = run.id or 0
    conversation.answered = max(conversation.asked, conversation.answered)
    conversation.asked = conversation.answered + 1
    conversation.has_left = False
    conversation.model, conversation.strategy = spec.model, spec.strategy.name
    conversation.settings = own_settings(spec)
    folder.path.mkdir(parents=True, exist_ok=True)
    number = queries.number_in(session, run.id or 0, here)
    if is_moved and numbers:  # else the worker has said them itself
        turns = turns_for_worker(session, here)
        settings = settings | {"history": folder.tell_history(number, conversation.asked, turns)}
    folder.ask(
        ask="reply",
        conversation=number,
        question=conversation.asked,
        bug=conversation.bug_id,
        message=text,
        budget=sent.budget,
        after=after,
        before=len(numbers),
        **settings,
    )


def _read_rest(session: Session, run: Run) -> None:
    """Store what a worker that is ending has said by now; what it says after a conversation has left is not stored."""
    folder = RunDir(Path(run.folder))
    if folder.events_path.exists():
        ingest(session, run, folder)


def _withdraw(session: Session, run: Run, conversation: Conversation) -> None:
    """The open question is no longer wanted of this worker, be it resumed later."""
    folder = RunDir(Path(run.folder))
    number = queries.number_in(session, run.id or 0, conversation.id or 0)
    with suppress(OSError):  # it is gone, or where nothing can be written: then nothing can be resumed in it
        folder.ask(ask="halt", conversation=number, question=conversation.asked)


def _check_branch(after: int | None, numbers: Sequence[int]) -> None:
    """Raises UserError where an answer cannot follow this turn."""
    if after and after not in numbers:
        raise UserError(f"after: this conversation has no message number {after}", field="after")
