"""Try, run the tests, show the model what failed, and try again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from engine.domain import Bug, Turn
from engine.failures.budget import Count, most_tokens
from engine.params import setting
from engine.representations import Representation
from engine.strategies import Complete, Evaluate
from engine.strategies.attempts import Attempts, FeedbackParams
from engine.strategies.budget import Budget
from engine.strategies.conversation import Conversation
from engine.strategies.messages import STUCK


class LoopParams(FeedbackParams):
    """With attempts before the model is told of failures."""

    bare: int = setting(
        1, "attempts from the code alone, as long as it gives new answers, before the model is told of failures; "
        "more for a model that was not trained to read what it is told",
        title="Attempts before it is told", more=True, ge=1, le=200,
    )  # fmt: skip


class TestFeedback:
    """Runs the tests on each answer, shows the model what failed, and lets it try again.

    A chat model reads its answers, their test results and the user's hints as messages that alternate; for a model that
    fills in code they are comments in the prompt, where the fault is. An answer whose code was already tried is
    generated again. A turn of the role `tool` holds what the next prompt says of the last attempt, word for word;
    earlier attempts are in it with what was tried and one line. The loop is that of ChatRepair (Xia and Zhang, ISSTA
    2024, arXiv 2304.00385).
    """

    name: ClassVar[str] = "test_feedback"
    title: ClassVar[str] = "Try, test, try again"
    ends_at_plausible: ClassVar[bool] = True
    __test__ = False  # not a test class, whatever pytest makes of its name

    class Params(LoopParams):
        """Settings of the strategy."""

        name: Literal["test_feedback"] = "test_feedback"

    def __init__(self, params: FeedbackParams) -> None:
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
        tries = Attempts(bug, conversation, budget, representation, complete, evaluate, count, self.params)
        yield from self.turns(tries)

    def turns(self, tries: Attempts) -> Iterator[Turn]:
        """All turns of the reply."""
        yield from tries.failing_tests()
        while (yield from tries.another(is_told=self._is_told(tries.conversation.path))):
            if self.ends_at_plausible and tries.conversation.path[-1].is_plausible:
                return
        if tries.budget.has_room():
            yield Turn("tool", STUCK)

    def _is_told(self, path: Sequence[Turn]) -> bool:
        """Whether the model is told of its attempts; of a plausible one it always is, or it would write that again."""
        bare = self.params.bare if isinstance(self.params, LoopParams) else 1
        made = [turn for turn in path if turn.is_attempt]
        return not 0 < len(made) < bare or any(turn.is_plausible for turn in made)
