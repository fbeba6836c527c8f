"""A hole in the place of the faulty lines (IR3 and IR4 of RepairLLaMA, arXiv 2312.15698), in one of two forms.

With `mark=fim` it is where a model's fill-in-the-middle tokens say, as the starter adapter was trained:

    <prefix>code before{indent}# buggy code\\n# each faulty line\\n<suffix>code after<middle>

With `mark=literal` it is the published text, for models that were trained on it:

    code before// buggy code\\n// each faulty line\\n{indent}<FILL_ME>\\ncode after

Published are the lines that `difflib` tells apart, and the indent is that of the first of them, of whichever sign; the
other form takes the bug's own span, and the indent of what is there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, Self

from engine.domain import Bug
from engine.errors import UserError
from engine.languages.source import indent_of
from engine.models.layouts import LAYOUTS, layout_for, special_in
from engine.params import setting
from engine.representations.fixed_lines import FixedLines
from engine.representations.published import FILL_ME, Settings, ended, noted
from engine.representations.region import Region


class HoleSettings(Settings):
    """What of the file is shown, and in which model's tokens."""

    strip: bool | None = setting(
        None,
        "leave comments, docstrings and blank lines out around the fault; automatic: only with the hole fim",
        title="Strip comments",
        more=True,
    )
    fim: Literal["auto", "qwen", "starcoder", "codellama", "deepseek"] = setting(
        "auto", "of which model; auto: those that the tokenizer has", more=True, title="Fill-in-the-middle tokens"
    )


class Hole(FixedLines):
    """Shows the code around the fault, and in its place what `_comment` says."""

    params: HoleSettings

    def __init__(self, params: HoleSettings) -> None:
        super().__init__(params)
        self._layout = LAYOUTS["qwen" if params.fim == "auto" else params.fim]
        self.special = (FILL_ME,) if self._is_literal else self._layout.special

    def for_vocabulary(self, vocabulary: frozenset[str] | None) -> Self:
        """Raises UserError where the tokenizer lacks what fills in the middle, or it is not known what it has."""
        used: dict[str, object] = {"strip": self._is_stripped}
        if not self._is_literal and vocabulary is not None:
            used["fim"] = layout_for(vocabulary, self.params.fim)
        elif not self._is_literal and self.params.fim == "auto":
            raise UserError(
                "representation.fim: the service does not tell its model's tokens; choose whose fill-in-the-middle "
                f"tokens it takes ({', '.join(LAYOUTS)}), or ask a chat model with representation=instruct",
                field="representation.fim",
            )
        made = type(self)(self.params.model_copy(update=used))
        if self._is_literal:
            made.special += special_in(vocabulary or frozenset())
        return made

    def _parts(self, bug: Bug, notes: Sequence[str]) -> list[str]:
        before, after = self._around(bug)
        faulty = self._faulty(bug)
        if self._is_literal:
            # of a blank line all is taken, with its end, as in the published texts
            indent = re.match(r"\s*", ended([self._region(bug).first])[0])
            assert indent is not None, "it matches no text as well"
            comment = self._comment(faulty, bug, "")
            return ["".join([*ended(before), *noted(notes, bug), *comment, indent[0]]), "".join(ended(after))]
        at = indent_of([*faulty, *after, *reversed(before)])  # an insertion's is that of what follows
        return ["".join([*before, *noted(notes, bug, at), *self._comment(faulty, bug, at)]), "".join(after)]

    def _comment(self, faulty: Sequence[str], bug: Bug, indent: str) -> list[str]:
        """Lines above the hole."""
        return []

    def _joined(self, parts: Sequence[str]) -> str:
        before, after = parts
        if self._is_literal:
            return f"{before}{FILL_ME}\n{after}"
        return f"{self._layout.prefix}{before}{self._layout.suffix}{after}{self._layout.middle}"

    def _region(self, bug: Bug) -> Region:
        if self._is_literal:
            return super()._region(bug)
        return Region(bug.span, bug.fixed_lines, bug.buggy_lines)

    @property
    def _is_literal(self) -> bool:
        return self.params.mark == "literal"

    @property
    def _is_stripped(self) -> bool:
        return not self._is_literal if self.params.strip is None else self.params.strip
