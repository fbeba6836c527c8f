"""IR3 x OR2 (RepairLLaMA, arXiv 2312.15698): the hole alone, as any fill-in-the-middle model knows it untrained."""

from __future__ import annotations

from typing import ClassVar, Literal

from engine.representations.hole import Hole, HoleSettings


class Ir3Or2(Hole):
    """The faulty lines are not shown: for a base model, which takes them for code to go on from."""

    name: ClassVar[str] = "ir3_or2"
    title: ClassVar[str] = "IR3 x OR2: the hole alone"

    class Params(HoleSettings):
        """The same as for IR4 x OR2."""

        name: Literal["ir3_or2"] = "ir3_or2"
