"""IR1 x OR3 (RepairLLaMA, arXiv 2312.15698): the faulty function, and a diff with three lines around each change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from engine.domain import Bug, Patch, lines_of
from engine.representations.hunks import DoesNotFit, placed, read, written
from engine.representations.line_ends import as_written, plain
from engine.representations.published import WithoutHole
from engine.representations.region import region_of
from engine.representations.whole_function import WholeFunction


class Ir1Or3(WholeFunction):
    """Reads the hunks of a diff and finds their places by their lines."""

    name: ClassVar[str] = "ir1_or3"
    title: ClassVar[str] = "IR1 x OR3: the function, and a diff with 3 lines around"
    context: ClassVar[int] = 3  # lines above and below each change
    _unreadable: ClassVar[str] = (
        "its diff fits several places, or the fix changes comments that are not shown, or how lines end"
    )

    class Params(WithoutHole):
        """What is shown."""

        name: Literal["ir1_or3"] = "ir1_or3"

    def trim(self, completion: str, bug: Bug) -> str:
        """The first hunks, as far as they fit."""
        hunks = read(self._cut(completion))
        for number in range(1, len(hunks) + 1):
            if self.decode("\n".join(hunk.text for hunk in hunks[:number]), bug).text is None:
                return "\n".join(hunk.text for hunk in hunks[: number - 1])
        return "\n".join(hunk.text for hunk in hunks)

    def decode(self, completion: str, bug: Bug) -> Patch:
        answer = self._cut(completion)
        hunks = read(plain(answer) if bug.is_crlf else answer)
        if not hunks:
            return Patch(bug.id, None, "the answer holds no changed line of a diff")
        lines = self._old(bug)
        span = region_of(bug, self._place(bug)).span
        fault = sum(row < span.start - 1 for row in lines.rows), sum(row < span.end for row in lines.rows)
        try:
            edits = placed(hunks, [line.removesuffix("\n") for line in _as_written(lines.texts, bug)], fault)
        except DoesNotFit as error:
            return Patch(bug.id, None, str(error))
        return self._patch(bug, edits)

    def _target(self, bug: Bug) -> str:
        return written(_as_written(self._old(bug).texts, bug), _as_written(self._new(bug), bug), self.context)


def _as_written(lines: Sequence[str], bug: Bug) -> list[str]:
    return lines_of(as_written("".join(lines), bug))
