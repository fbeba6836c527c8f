"""Several conversations from different first patches, with one budget."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import ClassVar, Literal

from engine.domain import Turn
from engine.params import setting
from engine.strategies.attempts import Attempts, FeedbackParams
from engine.strategies.conversation import Conversation
from engine.strategies.messages import STUCK
from engine.strategies.notes import is_told
from engine.strategies.test_feedback import TestFeedback


class Parallel(TestFeedback):
    """Draws several different first patches, then continues each in turn with its own failures.

    Each first patch is a branch of the conversation; a prompt tells of its own branch alone, so that a bad beginning
    holds back one of them only. No branch tries what another has tried. The branch with the fewest attempts is next; a
    branch whose model only repeats itself is left. It ends at the first plausible patch, or when the budget that all
    share is spent. What comes next is found from the turns alone, so a worker that was stopped goes on where it was.
    ChatRepair (Xia and Zhang, ISSTA 2024, arXiv 2304.00385) starts again from the beginning in the same way, one
    conversation after the other.
    """

    name: ClassVar[str] = "parallel"
    title: ClassVar[str] = "Several conversations at once"

    class Params(FeedbackParams):
        """Settings of the strategy."""

        name: Literal["parallel"] = "parallel"
        conversations: int = setting(3, "different first patches, each of which is continued", ge=1, le=20)

    params: Params

    def turns(self, tries: Attempts) -> Iterator[Turn]:
        talk, most = tries.conversation, self.params.conversations
        yield from tries.failing_tests()
        while tries.budget.has_room():
            branches = branches_of(talk)
            if is_first := len(branches) < most:
                talk.go_to(beginning(talk))
            else:
                alive = [branch for branch in branches if not branch.is_stuck]
                if not alive:
                    return
                talk.go_to(min(alive, key=lambda branch: branch.attempts).last)
            if (yield from tries.another()):
                if talk.path[-1].is_plausible:
                    return
            elif tries.budget.has_room():
                if is_first and branches:
                    most = len(branches)  # the model has no other first patch
                    continue
                yield Turn("tool", STUCK)
                if is_first:
                    return


@dataclass(frozen=True)
class Branch:
    """A first patch with what followed it."""

    attempts: int
    last: int  # number of its last turn
    is_stuck: bool


def branches_of(talk: Conversation) -> list[Branch]:
    """Those of the answer that is being given, oldest first."""
    mine = {turn.number for turn in talk.answer if turn.is_attempt}
    found: dict[int, Branch] = {}
    for turn in talk.answer:
        attempts = [each.number for each in talk.path_to(turn.number) if each.number in mine]
        if attempts:
            found[attempts[0]] = Branch(len(attempts), turn.number, turn.text == STUCK)
    return list(found.values())


def beginning(talk: Conversation) -> int:
    """Number of the turn that every first patch follows: the last before all of them that tells the model something."""
    before = takewhile(lambda turn: not turn.is_attempt, talk.answer)
    return next((turn.number for turn in reversed(list(before)) if is_told(turn)), talk.start)
