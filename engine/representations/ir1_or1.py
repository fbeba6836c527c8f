"""IR1 x OR1 (RepairLLaMA, arXiv 2312.15698): the faulty function, and the whole fixed function as answer."""

from __future__ import annotations

from typing import ClassVar, Literal

from engine.domain import Bug, Patch, lines_of
from engine.languages.source import source
from engine.representations.line_ends import as_written, plain
from engine.representations.published import WithoutHole
from engine.representations.region import changes
from engine.representations.whole_function import WholeFunction


class Ir1Or1(WholeFunction):
    """Reads the function anew: what of it changed is changed in the file."""

    name: ClassVar[str] = "ir1_or1"
    title: ClassVar[str] = "IR1 x OR1: the function, and all of it written anew"

    class Params(WithoutHole):
        """What is shown."""

        name: Literal["ir1_or1"] = "ir1_or1"

    def trim(self, completion: str, bug: Bug) -> str:
        """Up to the end of the last function that was shown, where nothing was shown below it."""
        text = self._cut(completion)
        asked = source("".join(self._old(bug).texts), bug.language)
        written = source(text, bug.language)
        known = len(asked.functions)
        is_last = bool(known) and not "".join(asked.lines[asked.functions[-1].span.end :]).strip()
        if not is_last or len(written.functions) < known:
            return text
        return "".join(written.lines[: written.functions[known - 1].span.end])

    def decode(self, completion: str, bug: Bug) -> Patch:
        answer = self._cut(completion)
        if not answer.strip():
            return Patch(bug.id, None, "the answer is empty")
        old = self._old(bug)
        new = lines_of(plain(answer) if bug.is_crlf else answer)
        if not self.params.strip:
            return self._patch(bug, [(0, len(old.texts), "".join(new))])
        found = changes(lines_of(as_written("".join(old.texts), bug)), new)
        return self._patch(
            bug, [(each.old_first, each.old_after, "".join(new[each.new_first : each.new_after])) for each in found]
        )

    def _target(self, bug: Bug) -> str:
        return as_written("".join(self._new(bug)), bug)
