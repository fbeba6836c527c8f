"""How much the answer to one question may take, and what of it is spent."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from engine.scoring import money
from engine.strategies.messages import limit_reached

Limit = Literal["", "attempts", "tokens", "seconds", "money"]


class BudgetSpent(Exception):
    """A strategy wants another completion, and the budget has no room for it."""


@dataclass(frozen=True)
class Limits:
    """What one answer may take at most; None: as much as it likes. No completion is begun at a limit or beyond it.

    What was begun before is finished, so tokens, seconds and money end up beyond their limit by one completion at most,
    and seconds also by one run of the tests.
    """

    attempts: int = 5  # patches that are tested
    tokens: int | None = None  # read and written together, also of completions that were drawn again
    seconds: float | None = None  # of work on this answer
    money: float | None = None  # in the currency of the prices


@dataclass(frozen=True)
class Prices:
    """Of a million tokens each; a model on this machine costs nothing."""

    read: float = 0.0
    written: float = 0.0
    currency: str = ""


@dataclass(frozen=True)
class Spent:
    """What was spent."""

    attempts: int = 0
    read: int = 0  # tokens
    written: int = 0  # tokens
    seconds: float = 0.0


NOTHING, FREE = Spent(), Prices()


class Budget:
    """Limits, and what is spent of them; a strategy asks `has_room` before each completion.

    Whoever asks the strategy counts: `took` for each completion, `attempted` for each turn that is an attempt.
    """

    def __init__(
        self,
        limits: Limits,
        spent: Spent = NOTHING,
        prices: Prices = FREE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`spent`: before now, by a worker that was stopped. `clock`: seconds of work on this answer."""
        self.limits = limits
        self.ended_by: Limit = ""  # the limit for which no room was left when it was last asked for
        self._spent, self._prices = spent, prices
        self._clock, self._began = clock, clock()

    @property
    def spent(self) -> Spent:
        """By now."""
        return replace(self._spent, seconds=self._spent.seconds + self._clock() - self._began)

    def has_room(self) -> bool:
        """Whether another completion may begin."""
        self.ended_by = self._reached()
        return not self.ended_by

    def took(self, read: int, written: int) -> None:
        """Count the tokens of one completion."""
        self._spent = replace(self._spent, read=self._spent.read + read, written=self._spent.written + written)

    def attempted(self) -> None:
        """Count an attempt."""
        self._spent = replace(self._spent, attempts=self._spent.attempts + 1)

    @property
    def message(self) -> str:
        """For people: the limit that ended the answer, with its value and what was spent."""
        spent, unit = self.spent, self._prices.currency or "of money"
        if self.ended_by == "tokens":
            return limit_reached(f"{self.limits.tokens:,} tokens", f"{spent.read:,} read and {spent.written:,} written")
        if self.ended_by == "seconds":
            return limit_reached(f"{self.limits.seconds:g} seconds", f"{spent.seconds:.1f} were used")
        if self.ended_by == "money":
            return limit_reached(f"{self.limits.money:g} {unit}", f"{self._cost:.4g} were used")
        return limit_reached(f"{self.limits.attempts} attempts", f"{spent.attempts} were made")

    def _reached(self) -> Limit:
        spent, limits = self.spent, self.limits
        if spent.attempts >= limits.attempts:
            return "attempts"
        if limits.tokens is not None and spent.read + spent.written >= limits.tokens:
            return "tokens"
        if limits.seconds is not None and spent.seconds >= limits.seconds:
            return "seconds"
        if limits.money is not None and self._cost >= limits.money:
            return "money"
        return ""

    @property
    def _cost(self) -> float:
        return money(self._spent.written, self._spent.read, self._prices.written, self._prices.read) or 0.0
