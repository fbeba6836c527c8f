"""Left to right: what stands before the hole, or a task's own words, and the answer cut where the task says.

For models without fill-in-the-middle tokens, and for the prompts of HumanEval and MBPP as their papers have them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from engine import params
from engine.domain import Bug, Patch, Sample, lines_of
from engine.representations import CannotShow
from engine.representations.published import noted
from engine.task import Task


class LeftToRight:
    """Shows a task as its benchmark words it, or the file up to the fault; reads the lines that follow."""

    name: ClassVar[str] = "left_to_right"
    title: ClassVar[str] = "Left to right: the task, or the code before the hole"

    class Params(params.Params):
        """Nothing to choose."""

        name: Literal["left_to_right"] = "left_to_right"

    def __init__(self, params: Params) -> None:
        """Nothing is kept."""

    def for_vocabulary(self, vocabulary: frozenset[str] | None) -> LeftToRight:
        return self

    def encode(self, bug: Bug, notes: Sequence[str] = ()) -> Sample:
        task = bug.task or _before(bug)
        line = bug.buggy_lines
        indent = line[: len(line) - len(line.lstrip(" \t"))]
        known = "".join(noted(notes, bug, indent))
        target = bug.fixed_lines.replace("\r\n", "\n") + task.end
        if self.decode(target, bug).text != bug.fixed:
            raise CannotShow("the fix holds what ends an answer, or changes how lines end")
        return Sample.of(bug, task.prompt + known, target)

    def trim(self, completion: str, bug: Bug) -> str:
        """Of a task what its benchmark counts, else as many lines as are faulty."""
        if bug.task:
            return bug.task.cut(completion)
        return "".join(lines_of(completion)[: max(1, len(lines_of(bug.buggy_lines)))])

    def decode(self, completion: str, bug: Bug) -> Patch:
        return Patch(bug.id, bug.patched(bug.task.cut(completion) if bug.task else completion))


def _before(bug: Bug) -> Task:
    return Task("".join(lines_of(bug.buggy)[: bug.span.start - 1]).replace("\r\n", "\n"))
