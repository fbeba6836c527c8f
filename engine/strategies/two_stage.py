"""Ask for the root cause first, then for patches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from engine.domain import Turn
from engine.params import setting
from engine.representations import cause_question
from engine.strategies.attempts import Attempts, FeedbackParams
from engine.strategies.test_feedback import TestFeedback


class TwoStage(TestFeedback):
    """The model first explains the fault in words; the explanation is in each prompt that asks for a patch.

    From there on as test feedback. The explanation is a turn of the model without a patch, is no attempt, and is asked
    for once on a branch. It needs a representation that can ask in words (`engine.representations.Explains`): a model
    that fills in code writes code wherever it is asked, so what it would put behind a comment "root cause:" is no
    explanation, and a prompt that repeats it would mislead. With such a model the answer is a UserError.
    """

    name: ClassVar[str] = "two_stage"
    title: ClassVar[str] = "Root cause first, then patches (chat models)"

    class Params(FeedbackParams):
        """Settings of the strategy."""

        name: Literal["two_stage"] = "two_stage"
        first_prompt: bool = setting(True, "tell which tests fail before the first attempt, too", more=True)

    def turns(self, tries: Attempts) -> Iterator[Turn]:
        if not any(turn.is_explanation for turn in tries.conversation.path):
            cause_question(tries.representation, tries.bug)  # refuses before tests are run
            yield from tries.failing_tests()
            yield from tries.explanation()
        yield from super().turns(tries)
