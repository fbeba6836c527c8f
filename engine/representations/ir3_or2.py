"""IR3 x OR2 (RepairLLaMA, arXiv 2312.15698): the hole alone, as any fill-in-the-middle model knows it untrained."""

from __future__ import annotations

from typing import ClassVar, Literal

from engine.domain import Bug
from engine.representations.ir4_or2 import Ir4Or2


class Ir3Or2(Ir4Or2):
    """Like IR4 x OR2, but the faulty lines are not shown: for a base model, which takes them for code to go on from."""

    name: ClassVar[str] = "ir3_or2"
    title: ClassVar[str] = "IR3 x OR2: the hole alone"

    class Params(Ir4Or2.Params):
        """The same as for IR4 x OR2."""

        name: Literal["ir3_or2"] = "ir3_or2"  # type: ignore[assignment]

    def _shown(self, bug: Bug, indent: str, marker: str) -> list[str]:
        return []
