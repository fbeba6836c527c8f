"""How a repair conversation goes on: the contract of a strategy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from engine.domain import Bug, Patch, Prompt, Turn, Verdict
from engine.representations import Representation

Complete = Callable[[Prompt], str]  # prompt -> one completion, streamed to whoever watches while it is written
Evaluate = Callable[[Bug, Patch], Verdict]


class Strategy(Protocol):
    """Decides the next prompts of a conversation from what was said and what the tests printed."""

    name: str

    def reply(
        self,
        bug: Bug,
        path: Sequence[Turn],
        budget: int,
        representation: Representation,
        complete: Complete,
        evaluate: Evaluate,
    ) -> Iterator[Turn]:
        """The turns that follow on `path`, at most `budget` of them the model's; every patch shown has its verdict.

        The last turn of `path` has the largest number of the conversation. The new turns get the numbers after it, in
        their order; one that follows an earlier turn of `path`, or an earlier new one, than the one before it names
        that as its `parent`, which starts another branch of the conversation. Ends at the first
        plausible patch. Raises UserError where the prompt does not fit the model.
        """
