"""IR2 x OR2 (RepairLLaMA, arXiv 2312.15698): the faulty lines between two comments, the fixed lines below all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from engine.domain import Bug
from engine.representations.fixed_lines import FixedLines
from engine.representations.published import WithoutHole, ended, noted


class Ir2Or2(FixedLines):
    """For models that write from left to right: they see the whole function first, and where its fault is."""

    name: ClassVar[str] = "ir2_or2"
    title: ClassVar[str] = "IR2 x OR2: faulty lines between comments"
    params: WithoutHole

    class Params(WithoutHole):
        """What is shown."""

        name: Literal["ir2_or2"] = "ir2_or2"

    def _parts(self, bug: Bug, notes: Sequence[str]) -> list[str]:
        before, after = self._around(bug)
        faulty = self._faulty(bug) or ["\n"]  # an insertion has one empty line
        starts, ends, fixed = noted(["buggy lines start:", "buggy lines end", "fixed lines:"], bug)
        return ["".join([*ended(before), *noted(notes, bug), starts, *ended(faulty), ends, *ended(after), fixed])]

    @property
    def _is_stripped(self) -> bool:
        return self.params.strip
