"""The questions put to a chat worker: what is asked, what was answered before, and what is no longer wanted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

from engine.domain import Model, Turn
from engine.events import Answered, Spent, TurnEvent, checked
from engine.rundir import RunDir
from engine.strategies.conversation import Conversation


@dataclass(frozen=True)
class Question:
    """One line of the inbox: answer a conversation, with at most `budget` turns of the model."""

    conversation: int
    number: int  # within its conversation, from 1
    bug: str
    message: str = ""  # said before the answer
    budget: int = 1
    after: int | None = None  # number of the turn that it follows, 0: none; None: the newest
    model: Model | None = None  # None: the worker's own
    settings: dict[str, Any] = field(default_factory=dict)  # of the spec, where they differ from the worker's
    begun: tuple[TurnEvent, ...] = ()  # turns of its answer, during which the worker was stopped
    spent: Spent | None = None  # on these
    trouble: str = ""  # why it cannot be answered

    @classmethod
    def of(cls, line: dict[str, Any]) -> Question:
        return cls(
            int(line["conversation"]),
            int(line["question"]),
            str(line.get("bug")),
            str(line.get("message") or "").strip(),
            int(line.get("budget") or 1),
            line.get("after"),
            Model(**line["loaded"]) if "loaded" in line else None,
            dict(line.get("settings") or {}),
        )


class Desk:
    """Reads the inbox of a worker, and remembers its conversations.

    A worker that is started again in the same folder finds its old inbox, and in its events what it said then.
    """

    def __init__(self, run: RunDir) -> None:
        self._run = run
        self._offset = 0
        self._new: list[dict[str, Any]] = []  # lines that were read and not yet handed out
        self._answered: Counter[int] = Counter()  # conversation -> number of its last answered question
        self._stopped: Counter[int] = Counter()  # conversation -> number of its last question that is not wanted
        self._turns: dict[int, list[Turn]] = {}
        self._begun: dict[int, list[TurnEvent]] = {}  # conversation -> turns of the answer after that
        self._spent: dict[int, Spent] = {}  # conversation -> on that answer
        self.is_closing = False  # nothing more is to be answered after what was asked by then
        for event in run.all_events():
            if isinstance(event.payload, Answered):
                self._answered[event.payload.conversation] = event.payload.question
                self._begun.pop(event.payload.conversation, None)
                self._spent.pop(event.payload.conversation, None)
            elif isinstance(event.payload, TurnEvent):
                self._begun.setdefault(event.payload.conversation, []).append(event.payload)
                self.remember(event.payload)
            elif isinstance(event.payload, Spent):
                self._spent[event.payload.conversation] = event.payload

    def look(self) -> list[Question]:
        """The questions that came since the last call, but those that are answered.

        A conversation that comes back from another worker has done with what was asked here before.
        """
        self.look_for_stops()
        lines, self._new = self._new, []
        found: list[Question] = []
        for line in lines:
            if self._is_open(line):
                question = self._with_history(Question.of(line), line)
                if "history" in line:
                    found = [each for each in found if each.conversation != question.conversation]
                found.append(question)
        return found

    def look_for_stops(self) -> None:
        """Read what came into the inbox, and keep its questions for `look`."""
        lines, self._offset = self._run.questions(self._offset)
        for line in lines:
            if line.get("ask") == "halt":
                self._stopped[int(line["conversation"])] = int(line["question"])
            elif line.get("ask") == "stop":
                self.is_closing = True
            elif not self.is_closing:
                self._new.append(line)

    def _is_open(self, line: dict[str, Any]) -> bool:
        return int(line["question"]) > self._answered[int(line["conversation"])]

    def is_stopped(self, question: Question) -> bool:
        """Whether the user no longer wants an answer."""
        return question.number <= self._stopped[question.conversation]

    def is_answered(self, question: Question) -> None:
        """From now on the question is not answered again."""
        self._answered[question.conversation] = question.number
        self._run.emit(Answered(question.conversation, question.number))

    def conversation(self, question: Question) -> Conversation:
        """What was said so far, at the place where the question goes on."""
        known = [_about(question.bug, turn) for turn in self._turns.get(question.conversation, [])]
        if question.begun:
            return Conversation(known, first=question.begun[0].number)
        return Conversation(known, question.after)

    def remember(self, said: TurnEvent) -> None:
        """A turn of a conversation, also one that another worker said."""
        turn = said.turn("")
        known = self._turns.setdefault(said.conversation, [])
        known[:] = [*(each for each in known if each.number != said.number), turn]

    def _with_history(self, question: Question, line: dict[str, Any]) -> Question:
        told = line.get("turns") or ()  # of a studio before histories had files
        try:
            if "history" in line:
                told = self._run.history(str(line["history"]))  # all of it, in place of what was said here
                for known in (self._turns, self._begun, self._spent):
                    known.pop(question.conversation, None)
            for turn in told:
                self.remember(checked(TurnEvent, {**turn, "conversation": question.conversation}))
        except (OSError, ValueError, KeyError, TypeError) as error:
            return replace(question, trouble=f"what was said before cannot be read: {error}; start a new conversation")
        begun = tuple(self._begun.pop(question.conversation, ()))
        return replace(question, begun=begun, spent=self._spent.pop(question.conversation, None))


def _about(bug_id: str, turn: Turn) -> Turn:
    return replace(turn, patch=replace(turn.patch, bug_id=bug_id)) if turn.patch else turn
