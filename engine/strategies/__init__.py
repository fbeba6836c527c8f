"""Choosing the next prompts of a repair conversation: the interface of a strategy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from engine.domain import Bug, Patch, Prompt, Turn, Verdict
from engine.failures.budget import Count, most_tokens
from engine.representations import Representation

Complete = Callable[[Prompt], str]  # prompt -> one completion, streamed to whoever watches while it is written
Evaluate = Callable[[Bug, Patch], Verdict]


class Strategy(Protocol):
    """Chooses the next prompts of a conversation from the earlier messages and the output of the tests."""

    name: str

    def reply(
        self,
        bug: Bug,
        path: Sequence[Turn],
        budget: int,
        representation: Representation,
        complete: Complete,
        evaluate: Evaluate,
        count: Count = most_tokens,
    ) -> Iterator[Turn]:
        """Yield the turns after `path`, at most `budget` of them the model's; every patch has its verdict.

        The last turn of `path` has the largest number of the conversation, and the new turns are numbered on from it. A
        turn that does not follow the one before it has an earlier turn of `path`, or an earlier new one, as its
        `parent`, which starts another branch of the conversation. Ends at the first plausible patch. `count` is
        the length of a text in the model's tokens, or more than that where its tokenizer is not known. Raises UserError
        if the prompt does not fit the model.
        """
