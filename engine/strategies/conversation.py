"""The turns of a conversation as a tree: the way to one of them, and the number and parent of a new one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from engine.domain import Turn


class Conversation:
    """All turns of a conversation, and the place where the next one goes."""

    def __init__(self, turns: Iterable[Turn] = (), after: int | None = None, first: int | None = None) -> None:
        """The next turn follows number `after`: the newest if None, none if 0.

        `first`: number of the first turn of the answer that is being given, where a part of it was said by a worker
        that was stopped; None: nothing of it was said.
        """
        self._turns = {turn.number: turn for turn in turns}
        self._newest = max(self._turns, default=0)
        self._last = self._newest if after is None else after
        self._first = self._newest + 1 if first is None else first

    @property
    def turns(self) -> list[Turn]:
        """All of them, oldest first."""
        return [self._turns[number] for number in sorted(self._turns)]

    @property
    def path(self) -> list[Turn]:
        """The turns that lead to the place where the next one goes, each the parent of the next."""
        return self.path_to(self._last)

    def path_to(self, number: int) -> list[Turn]:
        """The turns that lead to one of them, with itself."""
        found, at = [], self._turns.get(number)
        while at is not None:
            found.append(at)
            at = self._turns.get(_before(at))
        return found[::-1]

    @property
    def answer(self) -> list[Turn]:
        """What was said so far in answer to the last message, on all branches, oldest first."""
        return [turn for turn in self.turns if turn.number >= self._first and turn.role != "user"]

    @property
    def start(self) -> int:
        """Number of the turn that the answer follows; 0 if it begins the conversation."""
        said = self.answer
        return _before(said[0]) if said else self._last

    @property
    def beside(self) -> list[Turn]:
        """The turns that stand where the next one goes, on other branches."""
        return [turn for turn in self.turns if _before(turn) == self._last]

    def go_to(self, number: int) -> None:
        """The next turn follows this one; 0: none."""
        self._last = number

    def add(self, turn: Turn) -> Turn:
        """A new turn with the next free number; it follows the last one unless it names another as its parent."""
        follows = self._last or (0 if self._turns else None)  # 0: it begins the conversation again
        parent = turn.parent if turn.parent is not None else follows
        self._newest = self._last = self._newest + 1
        self._turns[self._last] = replace(turn, number=self._last, parent=parent)
        return self._turns[self._last]


def _before(turn: Turn) -> int:
    """Number of the turn that it follows; nothing follows a later one."""
    before = turn.number - 1
    return before if turn.parent is None else min(turn.parent, before)
