"""IR4 x OR2 (RepairLLaMA, arXiv 2312.15698): the faulty lines as a comment at the hole, the fixed lines as answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from engine.domain import Bug
from engine.languages import language
from engine.representations.hole import Hole, HoleSettings
from engine.representations.published import ended


class Ir4Or2(Hole):
    """Shows the function around the fault with the faulty lines commented out; reads the lines to put there."""

    name: ClassVar[str] = "ir4_or2"
    title: ClassVar[str] = "IR4 x OR2: faulty lines as a comment"

    class Params(HoleSettings):
        """Settings of the hole."""

        name: Literal["ir4_or2"] = "ir4_or2"

    def _comment(self, faulty: Sequence[str], bug: Bug, indent: str) -> list[str]:
        marker = language(bug.language).marker
        lines = ended(faulty) or (["\n"] if self._is_literal else [])  # published: an insertion has one empty line
        return [f"{indent}{marker} buggy code\n", *(f"{marker} {line}" for line in lines)]
