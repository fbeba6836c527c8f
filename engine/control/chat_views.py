"""A conversation as a page shows it, with the answer that is being written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.control.chat_live import Said, Saying
from engine.control.inboxes import unsaid
from engine.control.turns import ShownTurn, path_of, turn_for_page
from engine.domain import Bug
from engine.rundir import ENDED, RunDir
from storage import queries
from storage.database import Database
from storage.queries import Place
from storage.tables import Conversation, Run

UNANSWERED = "the model was unloaded before it had answered; press Repair to continue"


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
    leads_to: Mapping[int, int] = field(default_factory=dict)  # turn -> the newest that comes after it, or itself
    runs: Mapping[int, int] = field(default_factory=dict)  # of each worker that answered -> its number in that folder
    asked: int = 0  # questions put to the model


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
        answered = dict.fromkeys(place.run_id for place in every if place.run_id is not None)
        runs = {each: queries.number_in(session, each, here) for each in answered}
        waiting = unsaid(session, run, conversation, len(every))[0] if is_open else ""
    said = Saying(RunDir(Path(run.folder)), number, conversation.asked).now() if is_busy else Said()
    return View(
        id=here,
        bug_id=conversation.bug_id,
        model=conversation.model,
        strategy=conversation.strategy,
        outcome=conversation.outcome,
        state=run.state,
        status=said.doing or (run.progress_text if run.state not in ENDED else ""),
        is_busy=is_busy,
        error=run.error or (UNANSWERED if is_open and not is_busy else ""),
        turns=tuple(turn_for_page(turn, content, bug) for turn, content in turns),
        live_text=said.text,
        waiting=waiting,
        buggy=bug.buggy if bug else "",
        path=bug.path if bug else "",
        title=conversation.title,
        branches=_branches(every),
        leads_to=_leads_to(every),
        asked=conversation.asked,
        runs=runs,
    )


def _branches(turns: Sequence[Place]) -> tuple[tuple[int, ...], ...]:
    following: dict[int | None, list[int]] = {}
    for turn in turns:
        following.setdefault(turn.parent_id, []).append(turn.number)
    return tuple(tuple(numbers) for numbers in following.values() if len(numbers) > 1)


def _leads_to(turns: Sequence[Place]) -> Mapping[int, int]:
    """The newest turn in the branches that begin with each turn; a turn comes after the one that it follows."""
    newest = {turn.id: turn.number for turn in turns}
    for turn in reversed(turns):
        if turn.parent_id in newest:
            newest[turn.parent_id] = max(newest[turn.parent_id], newest[turn.id])
    return {turn.number: newest[turn.id] for turn in turns}
