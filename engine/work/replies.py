"""The answer to one question of a conversation, a message at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator

from engine.domain import Bug, Patch, Prompt, Turn, Verdict, as_text
from engine.errors import OutsideFailure, UserError
from engine.events import Delta, TurnEvent
from engine.events import Spent as SpentEvent
from engine.failures.budget import most_tokens
from engine.generators import DrawsAgain, Stream, TellsUsage
from engine.rundir import RunDir
from engine.strategies.answer import answer
from engine.strategies.budget import Budget, Spent
from engine.work.awaited import awaited
from engine.work.desk import Desk, Question
from engine.work.loaded_model import LoadedModel, Tools

FLUSH_S = 0.1  # between two pieces of an answer
STOPPED = "stopped while it was being written"


class Cut(Exception):
    """An answer was stopped, or its service failed: what was written by then, and what the model had read."""

    def __init__(self, prompt: Prompt, text: str, why: str = STOPPED) -> None:
        super().__init__(why)
        self.prompt, self.text, self.why = prompt, text, why


class Reply:
    """Says the turns that answer a question. What goes wrong becomes a turn and does not end the worker.

    That is an error of the user, or a failure outside, as of a service.
    """

    def __init__(self, question: Question, desk: Desk, loaded: LoadedModel, run: RunDir) -> None:
        self._question, self._desk, self._loaded, self._run = question, desk, loaded, run
        self._tree = desk.conversation(question)
        self._turns = self._answer()
        self._budget: Budget | None = None  # from its first answer on
        self._worked, self._since = 0.0, time.monotonic()  # seconds of earlier calls of `go_on`; start of this one
        self.said_now = 0  # messages of the last call of `go_on`

    def go_on(self) -> bool:
        """Say the next message; returns whether there may be another. The last call emits `answered`."""
        self.said_now = 0
        self._since = time.monotonic()
        try:
            return self._next()
        finally:
            self._worked = self._seconds()

    def _next(self) -> bool:
        try:
            turn = next(self._turns)
        except StopIteration:
            self._desk.is_answered(self._question)
            return False
        except Cut as cut:
            if cut.text:
                patch = Patch(self._question.bug, None, cut.why)
                self._say(self._tree.add(Turn("assistant", cut.text, patch, prompt=cut.prompt)))
        except (UserError, OutsideFailure) as error:  # a service that fails for one conversation answers others
            self._say(self._tree.add(Turn("assistant", "", Patch(self._question.bug, None, str(error)))))
        else:
            self._say(turn)
            return True
        self._desk.is_answered(self._question)
        return False

    def _answer(self) -> Iterator[Turn]:
        question = self._question
        if question.trouble:
            raise UserError(question.trouble)
        if question.message and not question.begun:
            yield self._tree.add(Turn("user", question.message))
        if self._desk.is_stopped(question):
            return
        tools = self._tools()
        self._budget = self._loaded.budget(question.budget, question.settings, self._spent_before(), self._seconds)
        turns = answer(
            tools.strategy, tools.bug, self._tree, self._budget, tools.representation,
            self._complete, self._evaluate, self._count,
        )  # fmt: skip
        for turn in turns:
            yield turn
            self._desk.look_for_stops()
            if self._desk.is_stopped(question):
                return

    def _seconds(self) -> float:
        """Of work on this answer, without those in which others were answered."""
        return self._worked + time.monotonic() - self._since

    def _spent_before(self) -> Spent:
        """By a worker that was stopped while it answered."""
        attempts = sum(turn.is_attempt for turn in self._tree.answer)
        told = self._question.spent
        return Spent(attempts, told.tokens_read, told.tokens_written, told.seconds) if told else Spent(attempts)

    def _tools(self) -> Tools:
        """As the question asks for them; another conversation may have loaded another adapter meanwhile."""
        question = self._question
        return self._loaded.tools(question.bug, question.model, question.settings)

    def _complete(self, prompt: Prompt) -> str:
        tools = self._tools()
        self._doing("writing an answer")
        if isinstance(tools.generator, DrawsAgain):
            before = [turn for turn in self._tree.turns if as_text(turn.prompt) == as_text(prompt)]
            tools.generator.drawn_before(prompt, len(before))
        pieces = tools.generator.stream(prompt)
        if tools.generator.is_remote:
            pieces = awaited(pieces, FLUSH_S)
        text, is_finished = self._stream(prompt, pieces)
        self._took(prompt, text)
        return text if is_finished else tools.representation.trim(text, tools.bug)

    def _took(self, prompt: Prompt, text: str) -> None:
        assert self._budget is not None, "an answer is within one"
        generator = self._tools().generator
        read, written = generator.usage() if isinstance(generator, TellsUsage) else (None, None)
        self._budget.took(
            self._count(as_text(prompt)) if read is None else read, self._count(text) if written is None else written
        )
        spent = self._budget.spent
        here = self._question.conversation, self._question.number
        self._run.emit(SpentEvent(*here, spent.read, spent.written, round(spent.seconds, 3)))

    def _count(self, text: str) -> int:
        counts = self._tools().generator.count([text])
        return counts[0] if counts else most_tokens(text)

    def _evaluate(self, bug: Bug, patch: Patch) -> Verdict:
        self._doing("running the tests")
        return self._loaded.evaluate(self._question.settings, bug, patch)

    def _stream(self, prompt: Prompt, pieces: Stream) -> tuple[str, bool]:
        """The whole text, and whether the model ended it, emitted while it is written, about ten times a second.

        The first event drops the text of an earlier attempt. Raises Cut.
        """
        text = held = ""
        restart, sent = True, time.monotonic()
        while True:
            try:
                held += next(pieces)
            except StopIteration as end:
                if held or restart:
                    self._send(held, restart=restart)
                return text + held, bool(end.value)
            except (UserError, OutsideFailure) as error:
                if text + held:
                    raise Cut(prompt, text + held, str(error)) from error
                raise
            if restart or time.monotonic() - sent >= FLUSH_S:
                if held or restart:
                    self._send(held, restart=restart)
                text += held
                held, restart, sent = "", False, time.monotonic()
                self._desk.look_for_stops()
                if self._desk.is_stopped(self._question):
                    pieces.close()
                    raise Cut(prompt, text)

    def _send(self, text: str, *, restart: bool) -> None:
        self._run.emit(Delta(self._question.conversation, text, restart))

    def _doing(self, what: str) -> None:
        self._run.emit(Delta(self._question.conversation, "", doing=what))

    def _say(self, turn: Turn) -> None:
        said = TurnEvent.of(self._question.conversation, turn)
        self._run.emit(said)
        self._desk.remember(said)
        self.said_now = 1
