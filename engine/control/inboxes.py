"""The questions in the folder of a chat worker, and the conversations that they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError
from sqlmodel import Session

from engine.control.loaded import PER_QUESTION, own_settings
from engine.control.turns import turns_for_worker
from engine.errors import UserError
from engine.params import explain
from engine.rundir import RunDir
from engine.specs import ChatSpec
from storage import queries
from storage.tables import Conversation, ConversationNumber, Run

MOST_QUESTIONS = 10**9  # of one conversation


@dataclass(frozen=True)
class Before:
    """A message before a question, as the worker got it."""

    number: int = 0
    role: str = ""
    text: str = ""


@dataclass(frozen=True)
class Asked:
    """One question; `turns` are the messages before it."""

    conversation: Annotated[int, Field(ge=1, le=queries.LARGEST_ID)]
    bug: Annotated[str, Field(max_length=1000)]
    question: Annotated[int, Field(ge=0, le=MOST_QUESTIONS)] = 0  # the first version did not number them
    turns: list[Before] = field(default_factory=list)
    model: Annotated[str, Field(max_length=1000)] = ""  # where it is not that of the run
    settings: dict[str, Any] = field(default_factory=dict)  # of the spec, where they are not those of the run

    def way(self, spec: ChatSpec) -> tuple[str, dict[str, Any]]:
        """The model and the settings with which it was asked; `spec`: the run's."""
        own = {place: value for place, value in self.settings.items() if place in PER_QUESTION}
        return self.model or spec.model, own_settings(spec) | own


def read_inbox(source: RunDir) -> list[Asked]:
    """The questions that were put to a worker. Raises UserError if they are not what a studio writes."""
    try:
        lines = [line for line in source.questions()[0] if "conversation" in line and line.get("ask") != "halt"]
        told = [{"turns": source.history(line["history"])} if "history" in line else {} for line in lines]
        return [_adapter.validate_python(line | turns) for line, turns in zip(lines, told, strict=True)]
    except ValidationError as error:
        problem = str(explain(error))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        problem = str(error)
    raise UserError(f"{source.path / 'inbox.jsonl'} is damaged: {problem}", field="folder")


_adapter = TypeAdapter(Asked)


class Ways:
    """With which model and settings the turns of a worker were asked; its folder is read if rows do not tell."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def of(self, conversation: Conversation, number: int) -> tuple[str, dict[str, Any]]:
        """Those of the first question that is not answered. `number`: the conversation's in the worker's folder."""
        if conversation.asked > conversation.answered + 1:  # its folder is being taken in
            asked = [each for each in self._asked if each.conversation == number]
            waiting = [each for each in asked if each.question > conversation.answered] or asked[-1:]
            if waiting:
                return waiting[0].way(self._spec)
        return conversation.model, conversation.settings

    @cached_property
    def _spec(self) -> ChatSpec:
        return ChatSpec.model_validate(self._run.spec)

    @cached_property
    def _asked(self) -> list[Asked]:
        try:
            return read_inbox(RunDir(Path(self._run.folder)))
        except UserError:  # changed since it was taken in; its turns are stored anyway
            return []


def unsaid(session: Session, run: Run, conversation: Conversation, turns: int) -> tuple[str, int | None]:
    """(the message of the newest question if its worker has not said it, the turn that it follows).

    A model may load for minutes, and be unloaded before it has read anything. `turns`: how many are stored.
    """
    asked = (queries.number_in(session, run.id or 0, conversation.id or 0), conversation.asked)
    with suppress(OSError, ValueError):  # a folder that was removed or damaged
        for line in reversed(RunDir(Path(run.folder)).questions()[0]):
            if line.get("ask") != "halt" and (line.get("conversation"), line.get("question")) == asked:
                before = line.get("before", len(line.get("turns") or ()))  # the latter of an older studio
                return ("" if turns > before else str(line.get("message") or "")), line.get("after")
    return "", None


def make_conversations(session: Session, run: Run, spec: ChatSpec, asked: Sequence[Asked], *, is_new: bool) -> None:
    """Find or create the conversations in a worker's questions; each belongs to the newest of its runs.

    In the folder of a run that `is_new` here, a number may be that of another conversation: then one is created.
    """
    first: dict[int, Asked] = {}
    last: dict[int, Asked] = {}
    for question in asked:
        first.setdefault(question.conversation, question)
        last[question.conversation] = question
    for number, question in first.items():
        found = queries.conversation_in(session, run.id or 0, number)
        if found is None or found.bug_id != question.bug or (is_new and not _continues(session, found, question)):
            found = _created(session, run, spec, number, question)
        if found.run_id <= (run.id or 0):
            if is_new and last[number].question >= found.asked:  # it goes on as it was last asked
                found.model, found.settings = last[number].way(spec)
                found.strategy = found.settings["strategy"]["name"]
            found.run_id, found.asked = run.id or 0, max(found.asked, last[number].question)
        session.add(found)
    session.flush()


def _continues(session: Session, conversation: Conversation, question: Asked) -> bool:
    """Whether the messages before a question are those of the conversation."""
    known = {turn["number"]: (turn["role"], turn["text"]) for turn in turns_for_worker(session, conversation.id or 0)}
    return bool(question.turns) and all(known.get(each.number) == (each.role, each.text) for each in question.turns)


def _created(session: Session, run: Run, spec: ChatSpec, number: int, question: Asked) -> Conversation:
    is_free = queries.conversation(session, number) is None
    model, settings = question.way(spec)
    made = Conversation(
        id=number if is_free else None,
        run_id=run.id or 0,
        bug_id=question.bug,
        model=model,
        benchmark=settings["benchmark"],
        strategy=settings["strategy"]["name"],
        settings=settings,
        created_at=run.created_at,
    )
    session.add(made)
    session.flush()
    if not is_free:
        session.add(ConversationNumber(run_id=run.id or 0, number=number, conversation_id=made.id or 0))
    return made
