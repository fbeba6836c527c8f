"""A model with fixed answers, tests that fail unless the fix is given, and a representation whose prompt is the notes."""

from __future__ import annotations

from engine.domain import Bug, Outcome, Patch, Sample, Span, Turn, Verdict
from engine.generators import PromptTooLong
from engine.representations import CannotShow
from engine.strategies.answer import answer
from engine.strategies.budget import Budget, Limits
from engine.strategies.contract import BUG
from engine.strategies.conversation import Conversation

LOG = """F
=================================== FAILURES ===================================
___________________________________ test_sum ___________________________________
test_add.py:4: in test_sum
    assert add(3, 4) == 7
E   assert -1 == 7
1 failed"""
WRONG = Verdict(Outcome.TEST_FAILED, log=LOG, failed=("test_sum",))
TESTED = Bug(
    BUG.id, "python", "add.py", BUG.buggy, BUG.fixed, Span(2, 2), failing=("test_sum",),
    tests=(("test_add.py", "from add import add\n\n\ndef test_sum():\n    assert add(3, 4) == 7\n"),),
)  # fmt: skip
TRIED = "tried: return a * b\ntest_sum: expected 7, got -1"


class World:
    """Answers one after the other; the tests fail unless the fix is given; prompts are the notes."""

    name = "world"

    def __init__(self, *answers, room=1000, verdict=WRONG, special=None):
        self.answers = list(answers)
        self.room = room
        self.verdict = verdict
        self.special = special
        self.prompts = []

    def encode(self, bug, notes=()):
        if self.special and any(self.special in note for note in notes):
            raise CannotShow(f"the code holds the special token {self.special}")
        return Sample.of(bug, "\n".join(notes), "")

    def decode(self, completion, bug):
        return Patch(bug.id, bug.replace_span(completion))

    def complete(self, prompt):
        if len(prompt) > self.room:
            raise PromptTooLong("too long")
        self.prompts.append(prompt)
        return self.answers.pop(0)

    def evaluate(self, bug, patch):
        return Verdict(Outcome.PLAUSIBLE) if patch.text == bug.fixed else self.verdict


def talked(turns=()):
    """A conversation in which these turns were said before the question."""
    conversation = Conversation()
    for turn in turns:
        conversation.add(turn)
    return Conversation(conversation.turns)


def replied(strategy, bug, turns, budget, *how):
    """The turns of one answer; `budget`: attempts."""
    return list(answer(strategy, bug, talked(turns), Budget(Limits(budget)), *how))


def attempt(text):
    return Turn("assistant", text, Patch(BUG.id, BUG.replace_span(text)), WRONG)
