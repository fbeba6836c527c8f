"""Reads a run's folder: which answers were judged, and for the chosen ones what the model read and what it wrote."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

from engine.builders.answers import ANSWERED
from engine.domain import Bug, Isolation, Model, Outcome, Prompt, span_of_change
from engine.errors import OutsideFailure, UserError
from engine.events import MODEL, BugEvent, Event, PatchEvent, TurnEvent, VerdictFields
from engine.models.tokenizer import tokenizer_of
from engine.params import Params
from engine.plugins import BENCHMARKS, BY_FIELD, REPRESENTATIONS
from engine.representations import CannotShow, Representation
from engine.representations.chat_template import for_model
from engine.rundir import RunDir

FIELD = "builder.runs"
SHORTENED = "its prompt was shortened to fit, so what the model read is not known"
CHANGED = "its bug is no longer in the benchmark as it was"
GONE = "its run was changed while it was read, or is damaged"
OF_A_SERVICE = "its conversation was held with a service, and as what messages it read is not known"


@dataclass(frozen=True)
class Judged:
    """One answer with its verdict."""

    event: int  # number of the event that tells it
    bug_id: str
    place: str  # among the answers of the run to this bug
    question: bytes  # equal for answers to the same prompt
    outcome: Outcome
    isolation: Isolation
    is_repeat: bool  # of an answer with the same patch
    conversation: int | None = None  # its number in the run's folder


@dataclass(frozen=True)
class Answer:
    """What the model read and wrote; `bug` has its patch in the place of the known fix."""

    judged: Judged
    bug: Bug
    prompt: Prompt
    text: str


class AnsweredRun:
    """A benchmark run, or a loaded model with its conversations, as its folder holds it."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)
        self._run = RunDir(self.folder)
        self._read: dict[str, dict[str, Bug]] = {}

    @property
    def number(self) -> str:
        """As pages and the shell call the run."""
        return self.folder.name

    def check(self) -> None:
        """Raises UserError if this is no run whose model's prompts are known, or its benchmark cannot be read."""
        kind = self._spec.get("kind")
        if kind == "validate":
            raise UserError(
                f"runs: run {self.number} judged patches that were made elsewhere, so what their model read is not "
                "known; choose benchmark runs and conversations",
                field=FIELD,
            )
        if kind not in ANSWERED:
            raise UserError(
                f"runs: run {self.number} is of the kind {str(kind)!r:.40}, which has no patches; choose benchmark "
                "runs and conversations",
                field=FIELD,
            )
        BENCHMARKS.create(self._params("benchmark")).check()

    def tokenizer_folder(self) -> Path | None:
        """That of its model; None for a service's."""
        model = self._model
        return None if model.kind == "endpoint" else Path(model.weights)

    def judged(self) -> list[Judged]:
        """Every answer that has a verdict, in the order of their events; of one judged again, the last verdict.

        Raises UserError where the run cannot be read.
        """
        found: dict[tuple[str, int], Judged] = {}
        for event in self._events():
            payload, conversation = event.payload, None
            if isinstance(payload, PatchEvent) and payload.source == MODEL:
                place = f"rank {payload.rank}"
                bug_id = BENCHMARKS.current(payload.bug_id)
                key, question, verdict = (bug_id, payload.rank), bug_id, payload.verdict
                is_repeat = payload.same_as is not None
            elif isinstance(payload, TurnEvent) and payload.verdict is not None:
                conversation = payload.conversation
                bug_id = self._asked.get(conversation, ("", ""))[0]
                place = f"conversation {conversation}, turn {payload.number}"
                key, verdict = (f"\0{conversation}", payload.number), payload.verdict
                question, is_repeat = payload.prompt, False
            else:
                continue
            judged = _judged(event.seq, bug_id, place, question, verdict, is_repeat=is_repeat)
            found[key] = replace(judged, conversation=conversation)
        return sorted(found.values(), key=lambda each: each.event)

    def answers(self, wanted: Collection[Judged]) -> Iterator[tuple[Judged, Answer | str]]:
        """For each, in the order of their events, the answer, or why what the model read cannot be told.

        Raises UserError where the run cannot be read.
        """
        left = {each.event: each for each in wanted}
        unmet = {*wanted}
        events: dict[str, BugEvent] = {}
        needed = {each.bug_id for each in wanted}
        for event in self._events():
            payload = event.payload
            if isinstance(payload, BugEvent) and BENCHMARKS.current(payload.id) in needed:
                events[BENCHMARKS.current(payload.id)] = payload
            elif judged := left.pop(event.seq, None):
                unmet.discard(judged)
                if isinstance(payload, PatchEvent):
                    yield judged, self._of_benchmark(judged, payload, events.get(judged.bug_id))
                elif isinstance(payload, TurnEvent):
                    yield judged, self._of_conversation(judged, payload)
                else:
                    yield judged, GONE
        for judged in sorted(unmet, key=lambda each: each.event):
            yield judged, GONE

    def _events(self) -> Iterator[Event]:
        try:
            yield from self._run.all_events()
        except OSError as error:
            raise self._unread(error) from None

    def _unread(self, error: Exception) -> UserError:
        why = error.strerror if isinstance(error, OSError) else f"it is damaged ({error})"
        return UserError(f"runs: the folder of run {self.number} cannot be read: {why}; choose another", field=FIELD)

    def _of_benchmark(self, judged: Judged, patch: PatchEvent, event: BugEvent | None) -> Answer | str:
        bug = self._bugs_of("").get(judged.bug_id)
        if bug is None or event is None or (bug.buggy, bug.span.start, bug.span.end) != (
            event.buggy, event.start, event.end,
        ):  # fmt: skip
            return CHANGED
        if event.whole_tokens is not None:
            return SHORTENED
        try:
            prompt = self._representation.encode(bug).prompt
        except CannotShow as reason:
            return str(reason)
        return Answer(judged, _with(bug, patch.text), prompt, patch.completion)

    def _of_conversation(self, judged: Judged, turn: TurnEvent) -> Answer | str:
        bug_id, benchmark = self._asked.get(turn.conversation, ("", ""))
        bug = self._bugs_of(benchmark).get(bug_id)
        if bug is None:
            return CHANGED
        if self._model.kind == "endpoint":
            return OF_A_SERVICE
        return Answer(judged, _with(bug, turn.patch), turn.prompt, turn.text)

    @cached_property
    def _spec(self) -> Mapping[str, Any]:
        try:
            return self._run.spec()
        except OutsideFailure as error:
            raise UserError(f"runs: {error}", field=FIELD) from None

    def _params(self, field: str) -> Params:
        """The plug-in that its spec names there. Raises UserError where this version has none such."""
        registry = BY_FIELD[field]
        try:
            return registry.params(self._spec.get(field))
        except ValueError as error:
            raise UserError(f"runs: the {field} of run {self.number} cannot be read: {error}", field=FIELD) from None

    @cached_property
    def _model(self) -> Model:
        try:
            model = self._run.inputs().model
        except OutsideFailure as error:
            raise UserError(f"runs: {error}", field=FIELD) from None
        if model is None:
            raise UserError(f"runs: run {self.number} does not tell its model", field=FIELD)
        return model

    @cached_property
    def _representation(self) -> Representation:
        """As the run's model was asked."""
        model, shown = self._model, REPRESENTATIONS.create(self._params("representation"))
        vocabulary = None if model.kind == "endpoint" else tokenizer_of(Path(model.weights)).vocabulary()
        return for_model(shown, model, vocabulary)

    def _bugs_of(self, benchmark: str) -> dict[str, Bug]:
        """The bugs of a benchmark, given as JSON, or of the run's own where empty; none where there is no such one."""
        if benchmark not in self._read:
            try:
                params = BENCHMARKS.params(json.loads(benchmark)) if benchmark else self._params("benchmark")
                self._read[benchmark] = {bug.id: bug for bug in BENCHMARKS.create(params).bugs()}
            except ValueError:  # of a plug-in that is gone, or of settings that it no longer has
                self._read[benchmark] = {}
        return self._read[benchmark]

    @cached_property
    def _asked(self) -> dict[int, tuple[str, str]]:
        """Conversation -> its bug, and as JSON its benchmark where that is not the run's."""
        try:
            questions, _ = self._run.questions()
        except (OSError, ValueError, RecursionError) as error:
            raise self._unread(error) from None
        told = [each for each in questions if isinstance(each, dict)]
        asked = [each for each in told if isinstance(each.get("conversation"), int) and "bug" in each]
        return {each["conversation"]: (BENCHMARKS.current(str(each["bug"])), _benchmark(each)) for each in asked}


def _benchmark(question: Mapping[str, Any]) -> str:
    settings = question.get("settings")
    return json.dumps(settings["benchmark"]) if isinstance(settings, dict) and "benchmark" in settings else ""


def _judged(event: int, bug_id: str, place: str, question: str, verdict: VerdictFields, *, is_repeat: bool) -> Judged:
    digest = blake2b(f"{bug_id}\0{question}".encode("utf-8", "replace"), digest_size=8).digest()
    return Judged(event, bug_id, place, digest, verdict.outcome, verdict.isolation, is_repeat)


def _with(bug: Bug, text: str | None) -> Bug:
    """The bug with this patch in the place of its known fix, if it changes anything."""
    if text is None or text == bug.buggy:
        return bug
    return replace(bug, fixed=text, span=span_of_change(bug.buggy, text))
