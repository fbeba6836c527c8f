"""A strategy: one attempt."""

from __future__ import annotations

from typing import ClassVar, Literal

from engine import params
from engine.strategies.single_shot import SingleShot


class Sample(SingleShot):
    """One attempt, by another name."""

    name: ClassVar[str] = "sample"

    class Params(params.Params):
        """Nothing to set."""

        name: Literal["sample"] = "sample"
