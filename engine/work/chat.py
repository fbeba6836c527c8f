"""Keeps one model loaded and answers the questions of repair conversations until it is stopped."""

from __future__ import annotations

import logging
import time
from collections import Counter
from pathlib import Path
from typing import Any

from engine.domain import Bug, Model, Patch, Prompt, Turn, Verdict, as_text
from engine.errors import UserError
from engine.events import Answered, Delta, Progress, TurnEvent, VerdictFields, checked
from engine.failures.budget import most_tokens
from engine.fingerprint import weights_hash
from engine.generators import Stream
from engine.plugins import BENCHMARKS, GENERATORS, REPRESENTATIONS, STRATEGIES
from engine.representations.chat_template import for_model
from engine.rundir import Inputs, RunDir
from engine.sandboxes.auto import usable
from engine.specs import ChatSpec
from engine.strategies.conversation import Conversation

log = logging.getLogger(__name__)
POLL_S = 0.1
FLUSH_S = 0.1  # between two pieces of an answer
IDLE_S = 30 * 60.0  # without a question, after which the model is unloaded to free its memory


def chat(spec: ChatSpec, inputs: Inputs, run: RunDir, idle_s: float = IDLE_S) -> dict[str, Any]:
    """Answer until {"ask": "stop"} or `idle_s` seconds without a question; returns counts of what was answered.

    Emits progress "ready" once the model is loaded and again after each answer; `answered` ends each question.
    A worker that is started again in the same folder continues the answer during which it was stopped.
    """
    loaded = LoadedModel(spec, inputs, run)
    run.emit(Progress(0, text="ready"))
    offset, last = 0, time.monotonic()
    while time.monotonic() - last < idle_s:
        questions, offset = run.questions(offset)
        for question in questions:
            if question.get("ask") == "stop":
                return loaded.summary()
            loaded.answer(question)
            last = time.monotonic()
        if not questions:
            time.sleep(POLL_S)
    return loaded.summary()


class LoadedModel:
    """A loaded model with everything that a conversation needs.

    A question may ask for another adapter on the same base model, which then takes the place of the one before.
    """

    def __init__(self, spec: ChatSpec, inputs: Inputs, run: RunDir) -> None:
        if inputs.model is None:
            raise UserError("no model was named", field="model")
        self._run = run
        self._sandbox = usable(spec.sandbox)
        self._benchmark = BENCHMARKS.create(spec.benchmark)
        self._bugs = {bug.id: bug for bug in self._benchmark.bugs()}
        self._skipped = self._benchmark.skipped()
        self._strategy = STRATEGIES.create(spec.strategy)
        self._turns = 0
        self._seed, self._own = spec.seed, inputs.model
        self._shown = REPRESENTATIONS.create(spec.representation)
        self._generator = GENERATORS.create(spec.generator)
        self._model: Model | None = None
        self._use(inputs.model)
        # a worker started again in the same folder finds its old inbox, and the turns of an answer it was stopped in
        self._answered: Counter[int] = Counter()  # conversation -> number of its last answered question
        self._begun: dict[int, list[TurnEvent]] = {}  # conversation -> turns of the answer after that
        for event in run.all_events():
            if isinstance(event.payload, Answered):
                self._answered[event.payload.conversation] = event.payload.question
                self._begun.pop(event.payload.conversation, None)
            elif isinstance(event.payload, TurnEvent):
                self._begun.setdefault(event.payload.conversation, []).append(event.payload)
        self._questions: Counter[int] = Counter()

    def answer(self, question: dict[str, Any]) -> None:
        """Emit the turns that answer one question. An error of the user becomes a turn and does not end the worker."""
        conversation, number = int(question["conversation"]), int(question["question"])
        if number <= self._answered[conversation]:
            return
        self._questions[conversation] += 1
        try:
            self._reply(conversation, question)
        except UserError as error:
            self._say(conversation, Turn("assistant", "", Patch(str(question.get("bug")), None, str(error))))
        self._answered[conversation] = number
        self._run.emit(Answered(conversation, number))
        self._run.emit(Progress(self._turns, text="ready"))

    def summary(self) -> dict[str, Any]:
        return {"conversations": len(self._questions), "questions": self._questions.total(), "turns": self._turns}

    def _use(self, model: Model) -> None:
        """Load a model unless it is the one that is loaded. Raises UserError."""
        if model == self._model:
            return
        self._run.emit(Progress(self._turns, text=f"loading {model.name}" if self._model else "loading the model"))
        self._model = None
        self._generator.load(model, self._seed)
        self._representation = for_model(self._shown, model, self._generator.vocabulary())
        self._model = model
        if model != self._own:  # whose hashes are recorded with the inputs of the run
            log.info("%s is loaded from %s, weights %s", model.name, model.path, weights_hash(Path(model.path)))

    def _reply(self, conversation: int, question: dict[str, Any]) -> None:
        begun = self._begun.pop(conversation, [])
        bug_id, message = str(question.get("bug")), str(question.get("message") or "").strip()
        told = [checked(TurnEvent, {"conversation": conversation, **turn}) for turn in question.get("turns") or ()]
        earlier = [_turn(bug_id, each) for each in (*told, *begun)]
        self._tree = Conversation(earlier, None if begun else question.get("after"))
        bug = self._bug(bug_id)
        if message and not begun:
            self._say(conversation, Turn("user", message))
        self._use(Model(**question["loaded"]) if "loaded" in question else self._own)
        live = _Live(self._run, conversation)

        def complete(prompt: Prompt) -> str:
            self._run.emit(Progress(self._turns, text="writing an answer"))
            text, is_finished = live.show(self._generator.stream(prompt))
            return text if is_finished else self._representation.trim(text, bug)

        def evaluate(bug: Bug, patch: Patch) -> Verdict:
            self._run.emit(Progress(self._turns, text="running the tests"))
            return self._benchmark.evaluate(bug, patch, self._sandbox)

        answers = [turn for turn in earlier[len(earlier) - len(begun) :] if turn.role == "assistant"]
        budget = int(question.get("budget") or 1) - len(answers)
        if budget < 1 or (answers and answers[-1].verdict is not None and answers[-1].verdict.is_plausible):
            return
        shown = self._representation
        for turn in self._strategy.reply(bug, self._tree.path, budget, shown, complete, evaluate, self._count):
            self._say(conversation, turn)

    def _count(self, text: str) -> int:
        counts = self._generator.count([text])
        return counts[0] if counts else most_tokens(text)

    def _bug(self, bug_id: str) -> Bug:
        if bug_id not in self._bugs:
            raise UserError(f"there is no bug {bug_id!r} in this benchmark", field="bug")
        if bug_id in self._skipped:
            raise UserError(f"{bug_id} cannot be tested here: {self._skipped[bug_id]}", field="bug")
        return self._bugs[bug_id]

    def _say(self, conversation: int, new: Turn) -> None:
        turn = self._tree.add(new)
        self._run.emit(
            TurnEvent(
                conversation,
                turn.number,
                turn.role,
                turn.text,
                turn.patch.text if turn.patch else None,
                turn.patch.reason if turn.patch else "",
                as_text(turn.prompt),
                VerdictFields.of(turn.verdict) if turn.verdict else None,
                turn.parent,
                turn.patch.rule if turn.patch else "",
            )
        )
        self._turns += 1


class _Live:
    """Emits an answer while it is written, about ten times a second."""

    def __init__(self, run: RunDir, conversation: int) -> None:
        self._run = run
        self._conversation = conversation

    def show(self, pieces: Stream) -> tuple[str, bool]:
        """The whole text, and whether the model ended it; the first event drops the text of an earlier attempt."""
        text = held = ""
        restart, sent = True, time.monotonic()
        while True:
            try:
                held += next(pieces)
            except StopIteration as end:
                if held or restart:
                    self._send(held, restart)
                return text + held, bool(end.value)
            if restart or time.monotonic() - sent >= FLUSH_S:
                self._send(held, restart)
                text += held
                held, restart, sent = "", False, time.monotonic()

    def _send(self, text: str, restart: bool) -> None:
        self._run.emit(Delta(self._conversation, text, restart))


def _turn(bug_id: str, said: TurnEvent) -> Turn:
    """A turn from its event; the turns in a question have the same fields."""
    patch = Patch(bug_id, said.patch, said.patch_reason, said.rule) if said.role == "assistant" else None
    verdict = said.verdict.verdict if said.verdict else None
    return Turn(said.role, said.text, patch, verdict, said.prompt, said.number, said.parent)
