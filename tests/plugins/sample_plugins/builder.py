"""A builder of pairs, from a file that it also lets a form choose columns of."""

from __future__ import annotations

from typing import ClassVar, Literal

from engine import params
from engine.domain import Sample as Pair
from engine.domain import Segment
from engine.params import Place, setting


class Sample:
    """Sixteen samples that say which of two numbers is larger."""

    name: ClassVar[str] = "sample"
    makes: ClassVar[str] = "samples"

    class Params(params.Params):
        """A file, as other builders have one too."""

        name: Literal["sample"] = "sample"
        file: Place = setting("", "a file, which is not read")
        column: str = setting("left", "one of two columns")

    def __init__(self, params):
        self.params = params

    def check(self):
        pass

    def choices(self):
        return {"column": ["left", "right"]}

    def total(self):
        return 16

    def stream(self, seed, funnel):
        for number in range(16):
            funnel.source += 1
            yield Pair(
                f"sample:{number}", (Segment(f"{number} or {seed + 7}?"), Segment(f" {max(number, seed + 7)}\n", True))
            )
