"""Try, run the tests, show the model what failed, and try again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import ClassVar, Literal

from engine import params
from engine.domain import Bug, Outcome, Patch, Prompt, Turn
from engine.failures.budget import Count, most_tokens
from engine.generators import PromptTooLong
from engine.params import setting
from engine.representations import CannotShow, Representation
from engine.strategies import Complete, Evaluate
from engine.strategies.budget import Budget
from engine.strategies.conversation import Conversation
from engine.strategies.failure import Amount, brief, told
from engine.strategies.messages import SHORTENED, STUCK, is_for_people
from engine.strategies.screening import Screen


class TestFeedback:
    """Runs the tests on each answer, shows the model what failed, and lets it try again.

    For models that fill in code: earlier answers, their test results and the user's hints are comments in the prompt,
    where the fault is. An answer that was already tried is generated again. A turn of the role `tool` holds what the
    next prompt says of the last attempt, word for word; earlier attempts are in it with what was tried and one line.
    """

    name: ClassVar[str] = "test_feedback"
    title: ClassVar[str] = "Try, test, try again"
    ends_at_plausible: ClassVar[bool] = True
    __test__ = False  # not a test class, whatever pytest makes of its name

    class Params(params.Params):
        """Settings of the strategy."""

        name: Literal["test_feedback"] = "test_feedback"
        bare: int = setting(
            1,
            "attempts from the code alone, before the model is told of failures; more for a model that was not trained "
            "to read what it is told",
            title="Attempts before it is told", more=True, ge=1, le=200,
        )  # fmt: skip
        screen: bool = setting(
            True,
            "draw again where an answer changes nothing, comes to the same code as an earlier one, or does not parse",
            title="Screen answers before testing", more=True,
        )  # fmt: skip
        redraws: int = setting(8, "most attempts to get a new answer", unit="draws", more=True, ge=0, le=500)
        tests: Literal["first", "all"] = setting("first", "which failing tests the model is told of", more=True)
        test_source: bool = setting(True, "with the source of these tests", more=True)
        tokens: int = setting(
            600, "at most so many tokens about one failure; least important first out", unit="tokens", more=True, ge=20
        )
        first_prompt: bool = setting(False, "tell which tests fail before the first attempt, too", more=True)

        @property
        def amount(self) -> Amount:
            """How much is told of one attempt."""
            return Amount(self.tests == "all", self.test_source, self.tokens)

    def __init__(self, params: TestFeedback.Params) -> None:
        self.params = params

    def reply(
        self,
        bug: Bug,
        conversation: Conversation,
        budget: Budget,
        representation: Representation,
        complete: Complete,
        evaluate: Evaluate,
        count: Count = most_tokens,
    ) -> Iterator[Turn]:
        turns = conversation.path
        if self.params.first_prompt and not any(turn.role in ("assistant", "tool") for turn in turns):
            verdict = evaluate(bug, Patch(bug.id, bug.buggy))
            if verdict.outcome not in (Outcome.PLAUSIBLE, Outcome.NOT_RUN):
                yield Turn("tool", told(bug, verdict, None, "", self.params.amount, count))
        while budget.has_room():
            attempts = [turn for turn in conversation.path if turn.is_attempt]
            asked = None
            if attempts and len(attempts) < self.params.bare:
                notes = notes_of([turn for turn in conversation.path if turn.role == "user"], str)
                asked = self._new_answer(bug, notes, attempts, budget, representation, complete, is_bare=True)
            if asked is None:
                if failed := untold(conversation.path):
                    yield Turn("tool", self._told(bug, failed, count))
                notes = notes_of(conversation.path, lambda turn: self._told(bug, turn, count))
                asked = self._new_answer(bug, notes, attempts, budget, representation, complete)
            if asked is None:
                if budget.has_room():
                    yield Turn("tool", STUCK)
                return
            if asked.is_shortened:
                yield Turn("tool", SHORTENED)
            patch = representation.decode(asked.answer, bug)
            verdict = evaluate(bug, patch)
            yield Turn("assistant", asked.answer, patch, verdict, asked.prompt)
            if verdict.is_plausible:
                return

    def _told(self, bug: Bug, turn: Turn, count: Count) -> str:
        assert turn.verdict is not None
        patch = turn.patch or Patch(bug.id, None)
        return told(bug, turn.verdict, patch, turn.text, self.params.amount, count)

    def _new_answer(
        self,
        bug: Bug,
        notes: Sequence[Note],
        attempts: Sequence[Turn],
        budget: Budget,
        representation: Representation,
        complete: Complete,
        *,
        is_bare: bool = False,
    ) -> Asked | None:
        """A prompt and an answer to it that was not tried yet; None if no draw gave one, or the budget is spent.

        Where no draw passes the screen, the first new one is tested after all, but not while the model `is_bare` of
        what it could be told.
        """
        tried = {turn.text.strip() for turn in attempts}
        screen = Screen(bug, (turn.patch for turn in attempts if turn.patch))
        first = None
        for _ in range(1 + self.params.redraws):
            if not budget.has_room():
                return None
            asked = fitting(bug, notes, representation, complete)
            if asked.answer.strip() not in tried:
                if not self.params.screen or screen.passes(representation.decode(asked.answer, bug)):
                    return asked
                first = first or asked
            notes = asked.notes
        return None if is_bare else first


@dataclass(frozen=True)
class Note:
    """Something that the prompt says besides the code."""

    text: str
    kind: Literal["hint", "earlier", "last"]  # of the user; of an earlier attempt; of the last one, in full


@dataclass(frozen=True)
class Asked:
    """A prompt, the answer to it, and what of the notes it said."""

    prompt: Prompt
    answer: str
    notes: tuple[Note, ...]
    is_shortened: bool  # of the last attempt it says less than the conversation shows


def untold(turns: Sequence[Turn]) -> Turn | None:
    """The last attempt, if no turn after it says what the model is told of it."""
    for turn in reversed(turns):
        if _is_told(turn):
            return None
        if turn.role == "assistant":
            return turn if turn.verdict is not None else None
    return None


def notes_of(turns: Sequence[Turn], tell: Callable[[Turn], str]) -> list[Note]:
    """Hints of the user, and what the model is told of each attempt, oldest first; of the last attempt in full.

    `tell`: what there is to tell of an attempt, for those of which no turn does, as another strategy leaves them.
    """
    last = next((turn for turn in reversed(turns) if _is_told(turn)), None)
    notes = []
    for at, turn in enumerate(turns):
        if turn.role == "user" and turn.text.strip():
            notes.append(Note(f"hint: {_one_line(turn.text)}", "hint"))
        elif _is_told(turn):
            notes.append(Note(turn.text, "last") if turn is last else Note(brief(turn.text), "earlier"))
        elif turn.role == "assistant" and turn.verdict is not None and not _is_told_later(turns[at + 1 :]):
            notes.append(Note(brief(tell(turn)), "earlier"))
    return notes


def fitting(bug: Bug, notes: Sequence[Note], representation: Representation, complete: Complete) -> Asked:
    """The longest prompt that fits, and the answer to it.

    Attempts are left out first, the oldest of them first; the last one is said in brief before it is left out; hints
    are left out last, and only where they are too long.

    Raises PromptTooLong if the code alone does not fit, and CannotShow where it cannot be shown.
    """
    kept, is_shortened = list(notes), False
    while True:
        try:
            prompt = representation.encode(bug, [note.text for note in kept]).prompt
            return Asked(prompt, complete(prompt), tuple(kept), is_shortened)
        except (PromptTooLong, CannotShow) as error:  # a log may hold a text that means something to the model
            attempts = [at for at, note in enumerate(kept) if note.kind != "hint"]
            if not kept or not (attempts or isinstance(error, PromptTooLong)):
                raise
            at = next((at for at in attempts if kept[at].kind == "earlier"), attempts[0] if attempts else 0)
            is_shortened |= kept[at].kind == "last"
            shorter = replace(kept[at], text=brief(kept[at].text))
            kept[at : at + 1] = [shorter] if kept[at].kind == "last" and shorter != kept[at] else []


def _is_told(turn: Turn) -> bool:
    return turn.role == "tool" and not is_for_people(turn.text)


def _is_told_later(following: Sequence[Turn]) -> bool:
    """Whether a turn before the next attempt tells of this one."""
    return any(map(_is_told, takewhile(lambda turn: turn.role != "assistant", following)))


def _one_line(text: str, most: int = 160) -> str:
    return "; ".join(line.strip() for line in text.splitlines() if line.strip())[:most]
