"""A conversation as a page shows it, with the answer that is being written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.control.turns import ShownTurn, path_of, turn_for_page
from engine.domain import Bug
from engine.events import Answered, Delta, TurnEvent
from engine.rundir import ENDED, RunDir
from storage import queries
from storage.database import Database
from storage.tables import Conversation, Run

UNANSWERED = "the model was unloaded before it had answered; press Repair to continue"
TAIL_BYTES = 256_000  # of a worker's events that may hold the answer being written


@dataclass(frozen=True)
class View:
    """The current state of a conversation; `live_text` is the answer that is being written."""

    id: int
    bug_id: str
    model: str
    strategy: str
    outcome: str
    state: str  # of its worker
    status: str  # what is being done for it, in words
    is_busy: bool
    error: str
    turns: tuple[ShownTurn, ...]  # the branch that is shown
    live_text: str
    waiting: str = ""  # a message that is sent and not in `turns` yet
    buggy: str = ""  # the file to repair; empty if the benchmark no longer has the bug
    path: str = ""
    title: str = ""  # as a user named it
    branches: tuple[tuple[int, ...], ...] = ()  # turns that follow the same turn, where there are several


@dataclass(frozen=True)
class ChatEntry:
    """One conversation in the list of conversations."""

    id: int
    bug_id: str
    model: str
    outcome: str
    created_at: float  # seconds since the epoch
    turns: int
    title: str = ""


def view_of(database: Database, conversation: Conversation, run: Run, bug: Bug | None, to: int | None = None) -> View:
    """`run`: its worker's; `bug`: None if it is gone; `to`: the last turn of the branch, the newest where None."""
    here = conversation.id or 0
    is_open = conversation.answered < conversation.asked
    is_busy = is_open and run.state not in ENDED
    with database.read() as session:
        turns = path_of(session, here, None if is_busy else to)  # what is being said is shown
        every = queries.tree(session, here)
        number = queries.number_in(session, run.id or 0, here)
    text, doing = live(run, number) if is_busy else ("", "")
    return View(
        id=here,
        bug_id=conversation.bug_id,
        model=conversation.model,
        strategy=conversation.strategy,
        outcome=conversation.outcome,
        state=run.state,
        status=doing or (run.progress_text if run.state not in ENDED else ""),
        is_busy=is_busy,
        error=run.error or (UNANSWERED if is_open and not is_busy else ""),
        turns=tuple(turn_for_page(turn, content, bug) for turn, content in turns),
        live_text=text,
        waiting=_waiting(run, conversation, number, len(every)) if is_busy else "",
        buggy=bug.buggy if bug else "",
        path=bug.path if bug else "",
        title=conversation.title,
        branches=_branches(every),
    )


def live(run: Run, number: int) -> tuple[str, str]:
    """The text so far of the answer that is being written, and what is done now, from the end of the events."""
    folder = RunDir(Path(run.folder))
    if not folder.events_path.exists():
        return "", ""
    text = doing = ""
    for event in folder.events(max(0, folder.events_path.stat().st_size - TAIL_BYTES)).events:
        payload = event.payload
        if isinstance(payload, TurnEvent | Answered) and payload.conversation == number:
            text = ""
        elif isinstance(payload, Delta) and payload.conversation == number:
            text = payload.text if payload.restart else text + payload.text
            doing = payload.doing or doing
    return text, doing


def _waiting(run: Run, conversation: Conversation, number: int, turns: int) -> str:
    """The message of the open question, as long as the worker has not said it; a model may load for minutes."""
    for question in reversed(RunDir(Path(run.folder)).questions()[0]):
        if (question["conversation"], question.get("question")) == (number, conversation.asked):
            before = question.get("before", len(question.get("turns") or ()))  # the latter of an older studio
            return "" if turns > before else str(question.get("message") or "")
    return ""


def _branches(turns: Sequence[tuple[int, int | None]]) -> tuple[tuple[int, ...], ...]:
    """`turns`: (number, id of the turn that it follows)."""
    following: dict[int | None, list[int]] = {}
    for number, parent in turns:
        following.setdefault(parent, []).append(number)
    return tuple(tuple(numbers) for numbers in following.values() if len(numbers) > 1)
