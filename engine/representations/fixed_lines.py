"""OR2 (RepairLLaMA, arXiv 2312.15698): the answer is the lines that stand in the place of the faulty ones."""

from __future__ import annotations

from engine.domain import Bug, Patch, lines_of
from engine.representations.line_ends import as_written
from engine.representations.published import Published
from engine.representations.region import Region, region_of, shown


class FixedLines(Published):
    """Reads lines to put there; none delete the faulty ones."""

    def trim(self, completion: str, bug: Bug) -> str:
        """Up to where the answer repeats the line after the hole, else as many lines as are faulty."""
        lines = lines_of(self._cut(completion))
        follows = next((line.rstrip() for line in self._around(bug)[1] if line.strip()), None)
        repeated = [place for place, line in enumerate(lines) if place and line.rstrip() == follows]
        span = self._region(bug).span
        return "".join(lines[: repeated[0] if repeated else max(1, span.end - span.start + 1)])

    def decode(self, completion: str, bug: Bug) -> Patch:
        """Every text is some patch: an empty one deletes the faulty lines."""
        return Patch(bug.id, bug.patched(self._cut(completion), self._region(bug).span))

    def _target(self, bug: Bug) -> str:
        return as_written(self._region(bug).fixed, bug)

    def _region(self, bug: Bug) -> Region:
        """The faulty lines, and what stands there in the fixed file."""
        return region_of(bug, self._place(bug))

    def _faulty(self, bug: Bug) -> list[str]:
        span = self._region(bug).span
        return lines_of(bug.buggy)[span.start - 1 : span.end]

    def _around(self, bug: Bug) -> tuple[list[str], list[str]]:
        """The lines shown before and after the faulty ones."""
        lines = shown(bug.buggy, bug.language, self._place(bug), strip=self._is_stripped)
        span = self._region(bug).span
        pairs = list(zip(lines.texts, lines.rows, strict=True))
        return [line for line, row in pairs if row < span.start - 1], [line for line, row in pairs if row >= span.end]

    @property
    def _is_stripped(self) -> bool:
        raise NotImplementedError
