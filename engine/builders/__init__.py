"""Where training sets come from: the contract of a builder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from engine.domain import Bug


@dataclass
class Funnel:
    """What went in, and every loss with its reason; a builder counts into it while it streams."""

    source: int = 0  # rows, files or functions read
    lost: dict[str, int] = field(default_factory=dict)  # reason in plain words -> how many
    examples: dict[str, str] = field(default_factory=dict)  # reason -> where the first one was ("line 17")

    def lose(self, reason: str, where: str = "") -> None:
        self.lost[reason] = self.lost.get(reason, 0) + 1
        self.examples.setdefault(reason, where)


class Builder(Protocol):
    """Makes bugs from some source, as a stream: memory does not grow with the source."""

    name: str

    def check(self) -> None:
        """A quick look before a run is queued. Raises UserError where the source is plainly not usable."""

    def bugs(self, seed: int, funnel: Funnel) -> Iterator[Bug]:
        """Unique ids, spans inside the code, buggy differs from fixed; the same seed gives the same order.

        Raises UserError where the source as a whole is unusable (folder missing, column missing, no rows);
        one bad row is counted in `funnel` and passed over.
        """

    def total(self) -> int | None:
        """How many bugs to expect at most, for a progress bar; None where nobody knows."""
