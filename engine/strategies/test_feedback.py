"""Try, run the tests, show the model what failed, and try again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from engine import params
from engine.domain import Bug, Prompt, Turn
from engine.generators import PromptTooLong
from engine.params import setting
from engine.representations import Representation
from engine.strategies import Complete, Evaluate
from engine.strategies.failure import for_people, in_one_line

STUCK = "The model repeats an answer that was already tried. Give it a hint, or raise the temperature."


class TestFeedback:
    """Runs the tests on each answer, shows the model what failed, and lets it try again.

    For models that fill in code: earlier answers, their test results and the user's hints are comments in the prompt,
    where the fault is. An answer that was already tried is generated again.
    """

    name: ClassVar[str] = "test_feedback"
    title: ClassVar[str] = "Try, test, try again"
    __test__ = False  # not a test class, whatever pytest makes of its name

    class Params(params.Params):
        """Settings of the strategy."""

        name: Literal["test_feedback"] = "test_feedback"
        redraws: int = setting(8, "most attempts to get a new answer", unit="draws", more=True, ge=0, le=50)

    def __init__(self, params: TestFeedback.Params) -> None:
        self.params = params

    def reply(
        self,
        bug: Bug,
        path: Sequence[Turn],
        budget: int,
        representation: Representation,
        complete: Complete,
        evaluate: Evaluate,
    ) -> Iterator[Turn]:
        turns = list(path)
        for _ in range(budget):
            last = turns[-1] if turns else None
            if last is not None and last.role == "assistant" and last.verdict is not None:
                turns.append(Turn("tool", for_people(last.verdict)))
                yield turns[-1]
            tried = {turn.text.strip() for turn in turns if turn.role == "assistant"}
            answer = self._new_answer(bug, turns, tried, representation, complete)
            if answer is None:
                yield Turn("tool", STUCK)
                return
            prompt, text = answer
            patch = representation.decode(text, bug)
            verdict = evaluate(bug, patch)
            turns.append(Turn("assistant", text, patch, verdict, prompt))
            yield turns[-1]
            if verdict.is_plausible:
                return

    def _new_answer(
        self, bug: Bug, said: Sequence[Turn], tried: set[str], representation: Representation, complete: Complete
    ) -> tuple[Prompt, str] | None:
        """A prompt and an answer to it that was not tried yet; None where every draw gave one that was."""
        notes = notes_of(said)
        for _ in range(1 + self.params.redraws):
            prompt, text, notes = _fitting(bug, notes, representation, complete)
            if text.strip() not in tried:
                return prompt, text
        return None


def notes_of(turns: Sequence[Turn]) -> list[str]:
    """Lines for the prompt, oldest first: hints of the user, and earlier answers with their test results."""
    notes = []
    for turn in turns:
        if turn.role == "assistant" and turn.verdict is not None:
            notes.append(f"tried: {_one_line(turn.text) or '(nothing)'}")
            notes.append(in_one_line(turn.verdict))
        elif turn.role == "user" and turn.text.strip():
            notes.append(f"hint: {_one_line(turn.text)}")
    return notes


def _fitting(
    bug: Bug, notes: list[str], representation: Representation, complete: Complete
) -> tuple[Prompt, str, list[str]]:
    """The longest prompt that fits, the answer to it, and its notes: the oldest results are left out first, hints last.

    Raises PromptTooLong if the code alone does not fit.
    """
    while True:
        try:
            prompt = representation.encode(bug, notes).prompt
            return prompt, complete(prompt), notes
        except PromptTooLong:
            if not notes:
                raise
            oldest = next((at for at, note in enumerate(notes) if not note.startswith("hint: ")), 0)
            notes = notes[:oldest] + notes[oldest + 1 :]


def _one_line(text: str, most: int = 160) -> str:
    return "; ".join(line.strip() for line in text.splitlines() if line.strip())[:most]
