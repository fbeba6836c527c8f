"""Repair conversations: start one, send a message, stop an answer, unload the model, read it while it is written."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from engine.benchmarks import BugEntry
from engine.control.asking import Message, ask
from engine.control.chat_bugs import DEFAULT_BENCHMARK, ChatBugs
from engine.control.chat_live import Saying
from engine.control.chat_views import ChatEntry, View, view_of
from engine.control.loaded import UNLOADED, other_model, other_settings, own_settings, worker_for
from engine.control.runs import Runs
from engine.control.states import ask_to_end
from engine.control.strangers import check_launcher
from engine.domain import Bug
from engine.errors import UserError
from engine.rundir import ENDED, RunDir
from engine.specs import ChatSpec
from storage import queries
from storage.database import Database
from storage.tables import Conversation, Run

LONGEST_TITLE = 200  # characters
MOST_TURNS = 50  # of the model in answer to one message


class Chats:
    """The repair conversations of a workspace; each has a worker that keeps its model loaded."""

    def __init__(self, home: Path, database: Database, runs: Runs) -> None:
        self._home = home
        self._database = database
        self._runs = runs
        self._bugs = ChatBugs()

    def bug_entries(self, benchmark: object = DEFAULT_BENCHMARK) -> Sequence[BugEntry]:
        """The bugs of a benchmark, by name or with settings, that can be tested on this machine. Raises UserError."""
        return self._bugs.entries(benchmark)

    def bug(self, bug_id: str, benchmark: object = DEFAULT_BENCHMARK) -> Bug:
        """Raises UserError naming what is wrong with the id."""
        return self._bugs.bug(bug_id, benchmark)

    def start(self, spec: ChatSpec, beside: int | None = None) -> int:
        """A new conversation about `spec.bug`, without messages; a worker that holds its base model is used again.

        `beside`: the conversation with another model beside which it is shown.
        """
        self.bug(spec.bug, spec.benchmark)
        run_id = self._worker(spec)
        with self._database.write() as session:
            conversation = Conversation(
                run_id=run_id,
                bug_id=spec.bug,
                model=spec.model,
                benchmark=spec.benchmark.model_dump(mode="json"),
                strategy=spec.strategy.name,
                settings=own_settings(spec),
                beside_id=beside,
                created_at=time.time(),
            )
            session.add(conversation)
            session.flush()
            assert conversation.id is not None
            return conversation.id

    def send(
        self,
        conversation_id: int,
        message: str = "",
        budget: int = 5,
        after: int | None = None,
        spec: ChatSpec | None = None,
    ) -> None:
        """Send `message`, if any, and ask for up to `budget` repair turns. Raises UserError while the model answers.

        `after`: number of an earlier turn that the answer follows, 0 for none, which starts another branch. `spec`: the
        conversation goes on with its model and settings; bug and benchmark stay.
        """
        if not 1 <= budget <= MOST_TURNS:
            raise UserError(f"budget: should be 1 to {MOST_TURNS} turns (got {budget})", field="budget")
        seen, run = self._load(conversation_id)
        wanted = _as_asked(seen, run, spec)
        if spec is None and run.state in UNLOADED:
            check_launcher(self._home, run)
        if run.state in UNLOADED or (spec and worker_for(wanted, self._runs, self._database) != run.id):
            run = self._runs.row(self._worker(wanted))  # the conversation continues with another worker
        asked = other_model(run, wanted, self._runs) | other_settings(run, wanted)
        try:
            with self._database.write() as session:
                ask(session, seen, run, wanted, asked, Message(message.strip(), budget, after))
        except Exception:
            if run.id != seen.run_id:
                self._unload(run.id or 0)
            raise
        if run.id != seen.run_id:
            self._unload(seen.run_id)  # else nothing on the page could: it shows the worker of the conversation

    def halt(self, conversation_id: int) -> None:
        """Stop the answer that is being written; what is written stays, and the model stays loaded."""
        conversation, run = self._load(conversation_id)
        if conversation.answered >= conversation.asked or run.state in ENDED:
            return
        with self._database.read() as session:
            number = queries.number_in(session, run.id or 0, conversation_id)
        RunDir(Path(run.folder)).ask(ask="halt", conversation=number, question=conversation.asked)

    def unload(self, conversation_id: int) -> int:
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

    def rename(self, conversation_id: int, title: str) -> None:
        """Give a conversation a title of its own; empty: none. Raises UserError."""
        wanted = " ".join(title.split())
        if len(wanted) > LONGEST_TITLE:
            raise UserError(f"title: at most {LONGEST_TITLE} characters (got {len(wanted)})", field="title")
        with self._database.write() as session:
            session.get_one(Conversation, self._load(conversation_id)[0].id).title = wanted

    def delete(self, conversation_id: int) -> None:
        """Delete a conversation with its messages. Raises UserError while the model answers it."""
        conversation, run = self._load(conversation_id)
        if conversation.answered < conversation.asked and run.state not in ENDED:
            raise UserError(f"conversation {conversation_id} is being answered; stop the answer first")
        with self._database.write() as session:
            row = session.get_one(Conversation, conversation_id)
            row.deleted_at, row.has_left = time.time(), True
            queries.delete_turns(session, conversation_id)
        self._unload(run.id or 0)

    def beside(self, conversation_id: int) -> int | None:
        """The conversation with another model that is shown beside it; None if there is none."""
        with self._database.read() as session:
            return queries.beside(session, conversation_id)

    def list(self, text: str = "") -> Sequence[tuple[Conversation, int]]:
        """(conversation, number of turns), newest first; `text`: only those with it in title, bug or model."""
        with self._database.read() as session:
            return queries.conversations(session, text)

    def entries(self, text: str = "") -> Sequence[ChatEntry]:
        """The conversations as a page lists them, newest first."""
        return [
            ChatEntry(each.id or 0, each.bug_id, each.model, each.outcome, each.created_at, turns, each.title)
            for each, turns in self.list(text)
        ]

    def get(self, conversation_id: int) -> Conversation:
        """The row of a conversation. Raises UserError on an unknown id."""
        return self._load(conversation_id)[0]

    def spec(self, conversation_id: int) -> ChatSpec:
        """The model and settings with which it goes on. Raises UserError."""
        return _as_asked(*self._load(conversation_id))

    def view(self, conversation_id: int, to: int | None = None) -> View:
        """`to`: the turn to which the shown branch leads, the newest where None. Raises UserError on an unknown id."""
        conversation, run = self._load(conversation_id)
        return view_of(self._database, conversation, run, self.known_bug(conversation), to)

    def saying(self, conversation_id: int) -> Saying:
        """Follows the answer that is being written. Raises UserError on an unknown id."""
        conversation, run = self._load(conversation_id)
        with self._database.read() as session:
            number = queries.number_in(session, run.id or 0, conversation_id)
        return Saying(RunDir(Path(run.folder)), number, conversation.asked)

    def is_busy(self, conversation_id: int) -> bool:
        """Whether its model is answering. Raises UserError on an unknown id."""
        conversation, run = self._load(conversation_id)
        return conversation.answered < conversation.asked and run.state not in ENDED

    def load(self, spec: ChatSpec, instead: int = 0) -> int:
        """Load a model before it is asked; returns its worker. `instead`: one that was so and is no longer wanted."""
        self.bug(spec.bug, spec.benchmark)
        worker = self._worker(spec)
        if instead and instead != worker:
            with self._database.read() as session:
                run = queries.run(session, instead)
                is_one = run is not None and run.kind == spec.kind and run.state not in UNLOADED
            if is_one:
                self._unload(instead)
        return worker

    def known_bug(self, conversation: Conversation) -> Bug | None:
        """What it is about; None where its benchmark, or the bug in it, is gone."""
        return self._bugs.known(conversation.bug_id, conversation.benchmark)

    def _worker(self, spec: ChatSpec) -> int:
        """The id of a live worker that can answer with this model and these settings, or of a new one."""
        return worker_for(spec, self._runs, self._database) or self._runs.submit(spec)

    def _load(self, conversation_id: int) -> tuple[Conversation, Run]:
        with self._database.read() as session:
            conversation = queries.conversation(session, conversation_id)
            if conversation is None or conversation.deleted_at is not None:
                raise UserError(f"there is no conversation {conversation_id}")
            return conversation, session.get_one(Run, conversation.run_id)


def _as_asked(conversation: Conversation, run: Run, spec: ChatSpec | None = None) -> ChatSpec:
    """With the model and settings of `spec`, else those that it had last, about its own bug."""
    own = {"bug": conversation.bug_id, "benchmark": conversation.benchmark}
    if spec is not None:
        return ChatSpec.model_validate(spec.model_dump(mode="json") | own)
    return ChatSpec.model_validate(run.spec | conversation.settings | own | {"model": conversation.model})
