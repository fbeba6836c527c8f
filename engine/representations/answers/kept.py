"""The readings of an answer's pieces so far, and what was wrong with those that are no fix."""

from __future__ import annotations

from engine.domain import Patch, lines_of
from engine.languages.source import source
from engine.representations.answers.blocks import Block
from engine.representations.answers.order import Reading, alone, is_same, is_sure, key
from engine.representations.answers.place import Place
from engine.representations.line_ends import plain


class Readings:
    """Keeps what changes something.

    No more than so many characters are parsed for an answer, however long it is; what is over is passed over.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.is_thinking = False
        self.found: list[Reading] = []
        size = len(place.bug.buggy)
        self._longest = 10_000 + 4 * len(place.bug.buggy_lines) + size + size // 2  # characters of one piece
        self._left = 20_000 + 2 * self._longest
        self._why: dict[str, str] = {}  # kind of trouble -> sentence
        self._known = frozenset("".join(line.split()) for line in lines_of(place.bug.buggy)) - {""}
        self._n_read = 0

    def patch(self) -> Patch:
        """The best reading that changes something, or why there is none."""
        bug = self.place.bug
        if self.found:
            best = min(self.found, key=lambda each: each.key)
            return Patch(bug.id, best.text, rule=best.rule)
        for kind in ("empty", "cut", "left_out", "misfit", "same", "code"):
            if kind in self._why:
                return Patch(bug.id, None, self._why[kind])
        return Patch(bug.id, None, "the answer holds no code")

    @property
    def _cut(self) -> str:
        return f"the answer ends before the {self.place.what} is complete"

    @property
    def _is_sure(self) -> bool:
        return any(map(is_sure, self.found))

    def _may_parse(self, text: str) -> bool:
        if len(text) > min(self._longest, self._left):
            return False
        self._left -= len(text)
        return True

    def _parses(self, code: str) -> bool:
        """Whether the code of the function, or the file, has no error that the faulty one does not have."""
        asked, name = self.place.function, self.place.bug.language
        if asked is not None and asked.has_error:
            return True
        text = alone(code, name) if asked is not None else code
        return self._may_parse(text) and not source(text, name).has_error

    def _keep(
        self,
        block: Block,
        how: str,
        patched: str,
        code: str,
        *,
        has_error: bool = False,
        is_file: bool = False,
        added: str = "",
    ) -> None:
        place, language = self.place, self.place.bug.language
        old = place.bug.buggy if is_file else "".join(place.lines)
        self._n_read += 1
        if patched == place.bug.buggy or (len(code) <= self._longest and is_same(code, plain(old), language)):
            self._why["same"] = f"the answer changes nothing in the {place.what}"
            return
        order = key(block, how, language, self._n_read, has_error=has_error)
        self.found.append(Reading(order, f"{block.where}:{how}{added}", patched))
