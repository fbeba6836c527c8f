"""Repair conversations: start one, send a message, stop it, read it, even while its answer is being written."""

from __future__ import annotations

import difflib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.benchmarks import BugEntry
from engine.control.lately import Lately
from engine.control.loaded import UNLOADED, other_model, worker_for
from engine.control.runs import Runs
from engine.control.states import ask_to_end
from engine.control.turns import ShownTurn, path_of, turn_for_page, turns_for_worker
from engine.domain import Bug
from engine.errors import OutsideFailure, UserError
from engine.events import Answered, Delta, TurnEvent
from engine.plugins import BENCHMARKS
from engine.rundir import ENDED, RunDir
from engine.specs import ChatSpec
from storage import queries
from storage.database import Database
from storage.tables import Conversation, Run

DEFAULT_BENCHMARK = ChatSpec.model_fields["benchmark"].default
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
    status: str  # what the worker is doing, in words
    is_busy: bool
    error: str
    turns: tuple[ShownTurn, ...]
    live_text: str
    waiting: str = ""  # a message that is sent and not in `turns` yet
    buggy: str = ""  # the file to repair; empty if the benchmark no longer has the bug
    path: str = ""


@dataclass(frozen=True)
class ChatEntry:
    """One conversation in the list of conversations."""

    id: int
    bug_id: str
    model: str
    outcome: str
    created_at: float  # seconds since the epoch
    turns: int


class Chats:
    """The repair conversations of a workspace; each has a worker that keeps its model loaded."""

    def __init__(self, database: Database, runs: Runs) -> None:
        self._database = database
        self._runs = runs
        self._entries = Lately(_entries)
        self._bugs = Lately(_bugs)

    def bug_entries(self, benchmark: object = DEFAULT_BENCHMARK) -> Sequence[BugEntry]:
        """The bugs of a benchmark, by name or with settings, that can be tested on this machine.

        Raises UserError if its settings are wrong or its bugs are missing.
        """
        return self._entries(benchmark)

    def bugs(self, benchmark: object = DEFAULT_BENCHMARK) -> Sequence[Bug]:
        """The same, with their code. Raises UserError."""
        return self._bugs(benchmark)

    def bug(self, bug_id: str, benchmark: object = DEFAULT_BENCHMARK) -> Bug:
        """Raises UserError naming what is wrong with the id."""
        bugs = {bug.id: bug for bug in self.bugs(benchmark)}
        if bug_id in bugs:
            return bugs[bug_id]
        near = difflib.get_close_matches(bug_id, bugs, n=3) or [*list(bugs)[:3], "..."]
        raise UserError(
            f"bug: there is no bug {bug_id!r} that can be tested here; similar: {', '.join(near)}", field="bug"
        )

    def start(self, spec: ChatSpec) -> int:
        """A new conversation about `spec.bug`, without messages; a worker that holds its base model is used again."""
        self.bug(spec.bug, spec.benchmark)
        run_id = self._worker(spec)
        with self._database.write() as session:
            conversation = Conversation(
                run_id=run_id,
                bug_id=spec.bug,
                model=spec.model,
                benchmark=spec.benchmark.model_dump(mode="json"),
                strategy=spec.strategy.name,
                created_at=time.time(),
            )
            session.add(conversation)
            session.flush()
            assert conversation.id is not None
            return conversation.id

    def send(self, conversation_id: int, message: str = "", budget: int = 5, after: int | None = None) -> None:
        """Send `message`, if any, and ask for up to `budget` repair turns. Raises UserError while the model answers.

        `after`: number of an earlier turn that the message follows, which starts another branch.
        """
        if not 1 <= budget <= 50:
            raise UserError(f"budget: should be 1 to 50 turns (got {budget})", field="budget")
        seen, run = self._load(conversation_id)
        spec = ChatSpec.model_validate({**run.spec, "bug": seen.bug_id, "model": seen.model})
        if run.state in UNLOADED:  # the conversation continues with a new worker
            run = self._runs.row(self._worker(spec))
        try:
            self._ask(seen, run, message.strip(), budget, after, other_model(run, spec, self._runs))
        except Exception:
            if run.id != seen.run_id:
                self._unload(run.id or 0)
            raise

    def _ask(
        self, seen: Conversation, run: Run, message: str, budget: int, after: int | None, model: dict[str, Any]
    ) -> None:
        # One transaction: if two messages are sent at once the second is refused, and the worker gets exactly the turns
        # stored by then. The question is written before the row, so that no question is counted that was not asked.
        with self._database.write() as session:
            conversation = session.get_one(Conversation, seen.id)
            if conversation.run_id == run.id and conversation.answered < conversation.asked:
                raise UserError("the model is still answering; wait for it or stop it first")
            if (conversation.run_id, conversation.asked) != (seen.run_id, seen.asked):
                raise UserError("another message of this conversation was sent just now; wait for its answer")
            if session.get_one(Run, run.id).state in UNLOADED:
                raise UserError("the model was unloaded just now; send your message again")
            turns = turns_for_worker(session, conversation.id or 0)
            _check_branch(after, [turn["number"] for turn in turns], message)
            conversation.run_id = run.id or 0
            conversation.answered = max(conversation.asked, conversation.answered)
            conversation.asked = conversation.answered + 1
            conversation.has_left = False
            folder = RunDir(Path(run.folder))
            folder.path.mkdir(parents=True, exist_ok=True)
            folder.ask(
                ask="reply",
                conversation=queries.number_in(session, run.id or 0, conversation.id or 0),
                question=conversation.asked,
                bug=conversation.bug_id,
                message=message,
                budget=budget,
                after=after,
                turns=turns,
                **model,
            )

    def stop(self, conversation_id: int) -> int:
        """Unload the model; the conversation can continue later. Returns how many others the model was answering."""
        run_id = self._load(conversation_id)[1].id or 0
        with self._database.read() as session:
            held = queries.conversations_of(session, run_id)
        self._runs.stop(run_id)
        return sum(each.answered < each.asked for each in held if each.id != conversation_id)

    def leave(self, conversation_id: int) -> bool:
        """Unload the model unless another conversation uses it; returns whether it was unloaded."""
        run_id = self._load(conversation_id)[1].id or 0
        with self._database.write() as session:
            session.get_one(Conversation, conversation_id).has_left = True
        return self._unload(run_id)

    def _unload(self, run_id: int) -> bool:
        """End a worker unless a conversation uses it, be it at rest; returns whether it is ended."""
        with self._database.write() as session:
            if not all(each.has_left for each in queries.conversations_of(session, run_id)):
                return False
            run = session.get_one(Run, run_id)
            if run.state not in ENDED:
                ask_to_end(run)
            return True

    def list(self) -> Sequence[tuple[Conversation, int]]:
        """(conversation, number of turns), newest first."""
        with self._database.read() as session:
            return queries.conversations(session)

    def entries(self) -> Sequence[ChatEntry]:
        """The conversations as a page lists them, newest first."""
        return [
            ChatEntry(each.id or 0, each.bug_id, each.model, each.outcome, each.created_at, turns)
            for each, turns in self.list()
        ]

    def get(self, conversation_id: int) -> Conversation:
        """The row of a conversation. Raises UserError on an unknown id."""
        return self._load(conversation_id)[0]

    def view(self, conversation_id: int) -> View:
        """Raises UserError on an unknown id."""
        conversation, run = self._load(conversation_id)
        with self._database.read() as session:
            turns = path_of(session, conversation_id)
            number = queries.number_in(session, run.id or 0, conversation_id)
        bug = self._bug_of(conversation)
        is_open = conversation.answered < conversation.asked
        is_busy = is_open and run.state not in ENDED
        status = run.progress_text if is_busy or run.state not in ENDED else ""
        return View(
            id=conversation_id,
            bug_id=conversation.bug_id,
            model=conversation.model,
            strategy=conversation.strategy,
            outcome=conversation.outcome,
            state=run.state,
            status=status,
            is_busy=is_busy,
            error=run.error or (UNANSWERED if is_open and not is_busy else ""),
            turns=tuple(turn_for_page(turn, content, bug) for turn, content in turns),
            live_text=self._live(run, number) if is_busy else "",
            waiting=self._waiting(run, conversation, number, len(turns)) if is_busy else "",
            buggy=bug.buggy if bug else "",
            path=bug.path if bug else "",
        )

    def _bug_of(self, conversation: Conversation) -> Bug | None:
        """None where the benchmark's folder or plug-in, or the bug in it, is gone: what was said can still be read."""
        try:
            bugs = self.bugs(conversation.benchmark)
        except (UserError, OutsideFailure, OSError):
            return None
        wanted = BENCHMARKS.current(conversation.bug_id)
        return next((bug for bug in bugs if bug.id == wanted), None)

    def _waiting(self, run: Run, conversation: Conversation, number: int, turns: int) -> str:
        """The message of the open question, as long as the worker has not said it; a model may load for minutes."""
        for question in reversed(RunDir(Path(run.folder)).questions()[0]):
            if (question["conversation"], question["question"]) == (number, conversation.asked):
                return "" if turns > len(question.get("turns") or ()) else str(question.get("message") or "")
        return ""

    def _live(self, run: Run, number: int) -> str:
        """The text so far of the answer that is being written, from the end of the worker's events."""
        folder = RunDir(Path(run.folder))
        if not folder.events_path.exists():
            return ""
        text = ""
        for event in folder.events(max(0, folder.events_path.stat().st_size - TAIL_BYTES)).events:
            payload = event.payload
            if isinstance(payload, TurnEvent | Answered) and payload.conversation == number:
                text = ""
            elif isinstance(payload, Delta) and payload.conversation == number:
                text = payload.text if payload.restart else text + payload.text
        return text

    def _worker(self, spec: ChatSpec) -> int:
        """The id of a live worker that can answer with this model and these settings, or of a new one."""
        return worker_for(spec, self._runs, self._database) or self._runs.submit(spec)

    def _load(self, conversation_id: int) -> tuple[Conversation, Run]:
        with self._database.read() as session:
            conversation = queries.conversation(session, conversation_id)
            if conversation is None:
                raise UserError(f"there is no conversation {conversation_id}")
            return conversation, session.get_one(Run, conversation.run_id)


def _entries(benchmark: object) -> list[BugEntry]:
    made = BENCHMARKS.from_value(benchmark)
    made.check()
    skipped = made.skipped()
    return [bug for bug in made.entries() if bug.id not in skipped]


def _bugs(benchmark: object) -> list[Bug]:
    made = BENCHMARKS.from_value(benchmark)
    skipped = made.skipped()
    return [bug for bug in made.bugs() if bug.id not in skipped]


def _check_branch(after: int | None, numbers: Sequence[int], message: str) -> None:
    """Raises UserError where a message cannot follow this turn; one that none is named for follows the newest."""
    if after is None:
        return
    if after not in numbers:
        raise UserError(f"after: this conversation has no message number {after}", field="after")
    if not message and after != max(numbers):
        raise UserError("after: write a message to go on from an earlier one", field="after")
