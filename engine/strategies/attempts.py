"""One attempt after the other at a bug, each told of the earlier ones: what strategies with feedback are made of."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from engine import params
from engine.domain import Bug, Outcome, Patch, Prompt, Turn
from engine.failures import budget as texts
from engine.failures.telling import Part
from engine.languages.trees import tree_digest
from engine.params import setting
from engine.representations import Representation, cause_question, next_question
from engine.strategies import Complete, Evaluate
from engine.strategies.budget import Budget
from engine.strategies.conversation import Conversation
from engine.strategies.failure import Amount, told
from engine.strategies.messages import SHORTENED
from engine.strategies.notes import Drawn, Note, exchanges_of, fitting, notes_of, untold


class FeedbackParams(params.Params):
    """What strategies with feedback have in common."""

    redraws: int = setting(8, "most attempts to get a new answer", unit="draws", more=True, ge=0, le=500)
    screen: bool = setting(
        True, "draw again where an answer changes nothing or does not parse, before its tests are run",
        title="Screen answers", more=True,
    )  # fmt: skip
    tests: Literal["first", "all"] = setting("first", "which failing tests the model is told of", more=True)
    test_source: bool = setting(True, "with the source of these tests", more=True)
    tokens: int = setting(
        600, "at most so many tokens about one failure; least important first out", unit="tokens", more=True, ge=20
    )
    dialogue: bool = setting(
        True, "a chat model reads each of its answers, and what came of it, as messages that alternate; off, or with "
        "any other model: all stands in one question",
        title="Alternating messages", more=True,
    )  # fmt: skip
    first_prompt: bool = setting(False, "tell which tests fail before the first attempt, too", more=True)

    @property
    def amount(self) -> Amount:
        """How much is told of one attempt."""
        return Amount(self.tests == "all", self.test_source, self.tokens)


@dataclass(frozen=True)
class Attempts:
    """Attempts at the place of a conversation where its next turn goes; with what each is made."""

    bug: Bug
    conversation: Conversation
    budget: Budget
    representation: Representation
    complete: Complete
    evaluate: Evaluate
    count: texts.Count
    settings: FeedbackParams

    def failing_tests(self) -> Iterator[Turn]:
        """What fails in the code as it stands, at the beginning of a conversation where the settings ask for it."""
        if not self.settings.first_prompt or any(turn.role != "user" for turn in self.conversation.path):
            return
        verdict = self.evaluate(self.bug, Patch(self.bug.id, self.bug.buggy))
        if verdict.outcome not in (Outcome.PLAUSIBLE, Outcome.NOT_RUN):
            yield Turn("tool", told(self.bug, verdict, None, "", self.settings.amount, self.count))

    def explanation(self) -> Iterator[Turn]:
        """The model's words on the root cause. Raises UserError where the representation cannot ask for them."""
        if not self.budget.has_room():
            return
        yield from self._last_told()
        asked = fitting(self._cause_question, self._notes, self.complete)
        if asked.is_shortened:
            yield Turn("tool", SHORTENED)
        yield Turn("assistant", asked.answer, prompt=asked.prompt)

    def another(self, *, is_told: bool = True) -> Generator[Turn, None, bool]:
        """What is told of the last attempt, and the next one; False if there is none.

        Then either the budget has no room, or every answer that was drawn is one that was tried. Unless it `is_told`,
        the model sees the code and what a person said as long as it has a new answer to that, and nothing of attempts.
        """
        if not self.budget.has_room():
            return False
        drawn = None if is_told else self._new_answer(is_told=False)
        if drawn is None:
            if not self.budget.has_room():
                return False
            yield from self._last_told()
            drawn = self._new_answer()
        if drawn is None:
            return False
        asked, patch = drawn
        if asked.is_shortened:
            yield Turn("tool", SHORTENED)
        yield Turn("assistant", asked.answer, patch, self.evaluate(self.bug, patch), asked.prompt)
        return True

    def _last_told(self) -> Iterator[Turn]:
        if failed := untold(self.conversation.path):
            yield Turn("tool", self._told(failed))

    def _new_answer(self, *, is_told: bool = True) -> tuple[Drawn, Patch] | None:
        """An answer whose code was not tried yet, here or on another branch of what is said now.

        Of those that the screen holds back the last one is taken, where there is no other and the model `is_told` all,
        or the budget is spent. Unless it `is_told`, the model reads hints, and what fails before any attempt.
        """
        turns = [*self.conversation.path, *self.conversation.answer]
        tried = {same_code(self.bug, turn.patch, turn.text) for turn in turns if turn.patch is not None}
        useless = {same_code(self.bug, Patch(self.bug.id, self.bug.buggy), "")} if self.settings.screen else set()
        notes: Sequence[Note] = [each for each in self._notes if is_told or each.kind in ("hint", "code")]
        held = None
        for _ in range(1 + self.settings.redraws):
            if not self.budget.has_room():
                return held
            asked = fitting(self._prompt, notes, self.complete)
            patch = self.representation.decode(asked.answer, self.bug)
            if (code := same_code(self.bug, patch, asked.answer)) not in tried:
                if code not in useless and not (self.settings.screen and self._is_broken(patch)):
                    return asked, patch
                held = asked, patch
            notes = asked.notes
        return held if is_told else None

    def _is_broken(self, patch: Patch) -> bool:
        """Whether it does not parse, unlike the file that it patches: its tests need not be run to know that."""
        if patch.text is None or tree_digest(self.bug.buggy, self.bug.language) == "":
            return False
        return tree_digest(patch.text, self.bug.language) == ""

    def _cause_question(self, notes: Sequence[Note]) -> Prompt:
        return cause_question(self.representation, self.bug, [note.text for note in notes])

    def _prompt(self, notes: Sequence[Note]) -> Prompt:
        if self.settings.dialogue:
            return next_question(self.representation, self.bug, *exchanges_of(notes))
        return self.representation.encode(self.bug, [note.text for note in notes]).prompt

    @property
    def _notes(self) -> list[Note]:
        return notes_of(self.conversation.path, self._told, self._cut)

    def _told(self, turn: Turn) -> str:
        assert turn.verdict is not None
        patch = turn.patch or Patch(self.bug.id, None)
        return told(self.bug, turn.verdict, patch, turn.text, self.settings.amount, self.count)

    def _cut(self, words: str) -> str:
        """The beginning of a hint or a cause, of as many tokens as a failure may have."""
        return texts.fitting([Part(words, "headline")], self.settings.tokens, self.count)


def same_code(bug: Bug, patch: Patch, answer: str) -> str:
    """A text that two answers share where their patched files differ in layout and comments only.

    Of a file that does not parse, and of an answer without a patch, only white space is left out.
    """
    if patch.text is None:
        return f"no patch: {' '.join(answer.split())}"
    return tree_digest(patch.text, bug.language) or " ".join(patch.text.split())
