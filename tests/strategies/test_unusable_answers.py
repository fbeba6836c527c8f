"""An answer that no code can be used from: the next question to the model says so, and why."""

from __future__ import annotations

import pytest

from engine.domain import Bug, Outcome, Span, Verdict
from engine.plugins import REPRESENTATIONS
from engine.strategies import answer as answering
from engine.strategies.budget import Budget, Limits
from engine.strategies.conversation import Conversation
from engine.strategies.test_feedback import TestFeedback

BUG = Bug(
    "made/add", "python", "add.py",
    "def add(a, b):\n    return a - b\n", "def add(a, b):\n    return a + b\n", Span(2, 2),
)  # fmt: skip
INSTRUCT = REPRESENTATIONS.from_value({"name": "instruct"})


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("I am sorry, I cannot do that.", "the answer holds no code"),
        (f"```python\n{BUG.buggy}```", "the answer changes nothing in the function `add`"),
        ("<think>\nShould it be a plus?", "the answer ends before its reasoning does"),
        ("```python\nimport pdb\n```", "the answer does not hold the function `add`"),
        (
            "```diff\n-    return b - a\n+    return a + b\n```",
            "removes a line that the file does not have: return b - a",
        ),
    ],
)
def test_the_next_question_says_why_no_code_could_be_used(answer, reason):
    asked = []
    answers = [answer, f"Fixed:\n\n```python\n{BUG.fixed}```\n"]

    def complete(prompt):
        asked.append(prompt)
        return answers.pop(0)

    def evaluate(bug, patch):  # as every benchmark does
        return Verdict(Outcome.NO_PATCH, patch.reason) if patch.text is None else Verdict(Outcome.PLAUSIBLE)

    strategy = TestFeedback(TestFeedback.Params())
    turns = list(answering.answer(strategy, BUG, Conversation(), Budget(Limits(3)), INSTRUCT, complete, evaluate))
    first, told, second = turns
    assert (first.patch.text, first.patch.rule, first.verdict.outcome) == (None, "", Outcome.NO_PATCH)
    assert reason in told.text
    assert reason in asked[1][-1].text
    assert reason not in asked[0][-1].text
    assert (second.patch.text, second.patch.rule) == (BUG.fixed, "fence:function")
