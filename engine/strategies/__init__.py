"""Choosing the next prompts of a repair conversation: the interface of a strategy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ClassVar, Protocol

from engine.domain import Bug, Patch, Prompt, Turn, Verdict
from engine.failures.budget import Count, most_tokens
from engine.representations import Representation
from engine.strategies.budget import Budget
from engine.strategies.conversation import Conversation

Complete = Callable[[Prompt], str]  # prompt -> one completion, streamed to whoever watches while it is written
Evaluate = Callable[[Bug, Patch], Verdict]


class Strategy(Protocol):
    """Chooses the next prompts of a conversation from the earlier messages and the output of the tests.

    One with `asks_once = True` has one prompt for a bug: in a benchmark run all candidates answer it.
    """

    name: str
    ends_at_plausible: ClassVar[bool]  # whether it ends at the first plausible patch

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
        """Yield the next turns; a patch has its verdict, and the model's turn without a patch explains something.

        Whoever asks adds each turn to `conversation` before asking for the next one, where `go_to` says that it goes:
        at the end of `conversation.path`, unless another branch is continued or begun. `conversation.answer` has what a
        worker that was stopped has said of this answer.

        Asks `budget.has_room()` before each completion, and ends where there is none; `engine.strategies.answer` says
        so to people. `count` is the length of a text in the model's tokens, or more than that where its tokenizer is
        not known. Raises UserError if the prompt does not fit the model.
        """
