"""IR1 (RepairLLaMA, arXiv 2312.15698): the function as it is, without a word about where its fault is.

Where comments are not shown, those of the file stay as they are, and what the fix changes in them is not asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from engine.domain import Bug, Patch
from engine.languages.source import source
from engine.representations.published import Published, WithoutHole, ended, noted
from engine.representations.region import Edit, Lines, edited, in_fixed, shown


class WholeFunction(Published):
    """Shows the lines of the function; what is read is edits of these lines."""

    params: WithoutHole
    _unreadable: ClassVar[str] = "the fix leaves nothing, changes how lines end, or changes comments that are not shown"

    def _parts(self, bug: Bug, notes: Sequence[str]) -> list[str]:
        return ["".join([*noted(notes, bug), *ended(self._old(bug).texts)])]

    def _old(self, bug: Bug) -> Lines:
        return shown(bug.buggy, bug.language, self._place(bug), strip=self.params.strip)

    def _new(self, bug: Bug) -> Sequence[str]:
        """The lines of the fixed function."""
        return shown(bug.fixed, bug.language, in_fixed(bug, self._place(bug)), strip=self.params.strip).texts

    def _is_fix(self, patch: Patch, bug: Bug) -> bool:
        if not self.params.strip or patch.text is None:
            return super()._is_fix(patch, bug)
        read, fixed = (source(text, bug.language).bare_lines for text in (patch.text, bug.fixed))
        return [*filter(None, read)] == [*filter(None, fixed)]

    def _patch(self, bug: Bug, edits: Iterable[Edit]) -> Patch:
        return Patch(bug.id, edited(bug, self._old(bug), edits))
