"""The turns of a conversation as a tree: the way to one of them, and the number and parent of a new one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from engine.domain import Turn


class Conversation:
    """All turns of a conversation, of which the next one follows number `after`: the newest if None, none if 0."""

    def __init__(self, turns: Iterable[Turn] = (), after: int | None = None) -> None:
        self._turns = {turn.number: turn for turn in turns}
        self._newest = max(self._turns, default=0)
        self._last = self._newest if after is None else after

    @property
    def path(self) -> list[Turn]:
        """The turns that lead to the last one, each the parent of the next."""
        found, at = [], self._turns.get(self._last)
        while at is not None:
            found.append(at)
            before = at.number - 1  # nothing follows a later one
            at = self._turns.get(before if at.parent is None else min(at.parent, before))
        return found[::-1]

    def add(self, turn: Turn) -> Turn:
        """A new turn with the next free number; it follows the last one unless it names another as its parent."""
        follows = self._last or (0 if self._turns else None)  # 0: it begins the conversation again
        parent = turn.parent if turn.parent is not None else follows
        self._newest = self._last = self._newest + 1
        self._turns[self._last] = replace(turn, number=self._last, parent=parent)
        return self._turns[self._last]
