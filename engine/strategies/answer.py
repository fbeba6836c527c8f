"""The answer to one question: the turns of a strategy, numbered, and ended where its budget is spent."""

from __future__ import annotations

from collections.abc import Iterator

from engine.domain import Bug, Prompt, Turn
from engine.failures.budget import Count, most_tokens
from engine.representations import Representation
from engine.strategies import Complete, Evaluate, Strategy
from engine.strategies.budget import Budget, BudgetSpent
from engine.strategies.conversation import Conversation


def answer(
    strategy: Strategy,
    bug: Bug,
    conversation: Conversation,
    budget: Budget,
    representation: Representation,
    complete: Complete,
    evaluate: Evaluate,
    count: Count = most_tokens,
) -> Iterator[Turn]:
    """Yield the strategy's turns, each of them added to the conversation, and counted if it is an attempt.

    `complete` tells the budget what each completion took. It is not called at a limit, whatever the strategy does. The
    last turn says which limit that was, unless it is that of attempts: these can be seen, and were asked for. An answer
    of which a part was said by a worker that was stopped goes on; not after a plausible patch with a strategy that ends
    there.
    """
    if strategy.ends_at_plausible and any(turn.is_plausible for turn in conversation.answer):
        return

    def within(prompt: Prompt) -> str:
        if not budget.has_room():
            raise BudgetSpent
        return complete(prompt)

    try:
        for turn in strategy.reply(bug, conversation, budget, representation, within, evaluate, count):
            if turn.is_attempt:
                budget.attempted()
            yield conversation.add(turn)
    except BudgetSpent:
        pass
    if budget.ended_by not in ("", "attempts"):
        yield conversation.add(Turn("tool", budget.message))
