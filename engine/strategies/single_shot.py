"""One prompt; in a chat it is answered once, in a benchmark run as often as there are candidates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from engine import params
from engine.domain import Bug, Turn
from engine.failures.budget import Count, most_tokens
from engine.representations import Representation
from engine.strategies import Complete, Evaluate
from engine.strategies.budget import Budget
from engine.strategies.conversation import Conversation


class SingleShot:
    """Answers once with the representation's own prompt; ignores earlier messages."""

    name: ClassVar[str] = "single_shot"
    title: ClassVar[str] = "One prompt"
    asks_once: ClassVar[bool] = True
    ends_at_plausible: ClassVar[bool] = True

    class Params(params.Params):
        """Nothing to set."""

        name: Literal["single_shot"] = "single_shot"

    def __init__(self, params: SingleShot.Params) -> None:
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
        if any(turn.is_attempt for turn in conversation.answer) or not budget.has_room():
            return
        prompt = representation.encode(bug).prompt
        text = complete(prompt)
        patch = representation.decode(text, bug)
        yield Turn("assistant", text, patch, evaluate(bug, patch), prompt)
