"""The answer to one question of a conversation, a message at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator

from engine.domain import Bug, Patch, Prompt, Turn, Verdict
from engine.errors import UserError
from engine.events import Delta, TurnEvent
from engine.failures.budget import most_tokens
from engine.generators import Stream
from engine.rundir import RunDir
from engine.work.desk import Desk, Question
from engine.work.loaded_model import LoadedModel, Tools

FLUSH_S = 0.1  # between two pieces of an answer
STOPPED = "stopped while it was being written"


class Stopped(Exception):
    """The user stopped an answer; the text is what was written by then, the prompt what the model had read."""

    def __init__(self, prompt: Prompt, text: str) -> None:
        super().__init__(text)
        self.prompt = prompt
        self.text = text


class Reply:
    """Says the turns that answer a question. An error of the user becomes a turn and does not end the worker."""

    def __init__(self, question: Question, desk: Desk, loaded: LoadedModel, run: RunDir) -> None:
        self._question, self._desk, self._loaded, self._run = question, desk, loaded, run
        self._tree = desk.conversation(question)
        self._turns = self._answer()
        self.said_now = 0  # messages of the last call of `go_on`

    def go_on(self) -> bool:
        """Say the next message; returns whether there may be another. The last call emits `answered`."""
        self.said_now = 0
        try:
            turn = next(self._turns)
        except StopIteration:
            self._desk.is_answered(self._question)
            return False
        except Stopped as cut:
            if cut.text:
                self._say(Turn("assistant", cut.text, Patch(self._question.bug, None, STOPPED), prompt=cut.prompt))
        except UserError as error:
            self._say(Turn("assistant", "", Patch(self._question.bug, None, str(error))))
        else:
            self._say(turn)
            return True
        self._desk.is_answered(self._question)
        return False

    def _answer(self) -> Iterator[Turn]:
        question, path = self._question, self._tree.path
        if question.trouble:
            raise UserError(question.trouble)
        if question.message and not question.begun:
            yield Turn("user", question.message)
        begun = path[len(path) - len(question.begun) :] if question.begun else []
        answers = [turn for turn in begun if turn.role == "assistant"]
        budget = question.budget - len(answers)
        is_repaired = bool(answers) and answers[-1].verdict is not None and answers[-1].verdict.is_plausible
        if budget < 1 or is_repaired or self._desk.is_stopped(question):
            return
        tools = self._tools()
        turns = tools.strategy.reply(
            tools.bug, self._tree.path, budget, tools.representation, self._complete, self._evaluate, self._count
        )
        for turn in turns:
            yield turn
            self._desk.look_for_stops()
            if self._desk.is_stopped(question):
                return

    def _tools(self) -> Tools:
        """As the question asks for them; another conversation may have loaded another adapter meanwhile."""
        question = self._question
        return self._loaded.tools(question.bug, question.model, question.settings)

    def _complete(self, prompt: Prompt) -> str:
        tools = self._tools()
        self._doing("writing an answer")
        text, is_finished = self._stream(prompt, tools.generator.stream(prompt))
        return text if is_finished else tools.representation.trim(text, tools.bug)

    def _count(self, text: str) -> int:
        counts = self._tools().generator.count([text])
        return counts[0] if counts else most_tokens(text)

    def _evaluate(self, bug: Bug, patch: Patch) -> Verdict:
        self._doing("running the tests")
        return self._loaded.evaluate(self._question.settings, bug, patch)

    def _stream(self, prompt: Prompt, pieces: Stream) -> tuple[str, bool]:
        """The whole text, and whether the model ended it, emitted while it is written, about ten times a second.

        The first event drops the text of an earlier attempt. Raises Stopped.
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
            if restart or time.monotonic() - sent >= FLUSH_S:
                self._send(held, restart=restart)
                text += held
                held, restart, sent = "", False, time.monotonic()
                self._desk.look_for_stops()
                if self._desk.is_stopped(self._question):
                    pieces.close()
                    raise Stopped(prompt, text)

    def _send(self, text: str, *, restart: bool) -> None:
        self._run.emit(Delta(self._question.conversation, text, restart))

    def _doing(self, what: str) -> None:
        self._run.emit(Delta(self._question.conversation, "", doing=what))

    def _say(self, new: Turn) -> None:
        said = TurnEvent.of(self._question.conversation, self._tree.add(new))
        self._run.emit(said)
        self._desk.remember(said)
        self.said_now = 1
