"""Where training sets come from: the contract of a builder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from engine.domain import Bug, Preference, Rows, Sample


@dataclass
class Funnel:
    """What went in, and every loss with its reason; a builder counts into it while it streams."""

    source: int = 0  # rows, files or functions read
    lost: dict[str, int] = field(default_factory=dict)  # reason in plain words -> how many
    examples: dict[str, str] = field(default_factory=dict)  # reason -> where the first one was ("line 17")

    def lose(self, reason: str, where: str = "") -> None:
        self.lost[reason] = self.lost.get(reason, 0) + 1
        self.examples.setdefault(reason, where)


Made = Bug | Sample | Preference


class Builder(Protocol):
    """Makes bugs, samples or preferences from some source, as a stream: memory does not grow with the source.

    Its setting that is made with `upload=True` is filled with the path of a file that a user drops on the page.
    """

    name: str
    makes: ClassVar[Rows]

    def check(self) -> None:
        """A quick look before a run is queued. Raises UserError where the source is plainly not usable."""

    def choices(self) -> Mapping[str, Sequence[str]]:
        """What a form may offer for a setting, by the setting's name, such as the columns of the file that is named.

        Settings that are not named take any text. Raises UserError where the source cannot be read.
        """

    def stream(self, seed: int, funnel: Funnel) -> Iterator[Made]:
        """All that it makes, of the one kind that `makes` says; the same seed gives the same, in the same order.

        Unique ids; of bugs, spans inside the code, and buggy differs from fixed. Raises UserError where the source as a
        whole is unusable (folder missing, column missing, no rows); one bad row is counted in `funnel` and passed over.
        """

    def total(self) -> int | None:
        """How many to expect at most, for a progress bar; None where nobody knows."""
