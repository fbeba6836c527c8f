"""IR4 x OR2 (RepairLLaMA, arXiv 2312.15698): the faulty lines as a comment at the hole, the fixed lines as answer.

The prompt, in the starter adapter's form, for a model's fill-in-the-middle tokens:

    <prefix>code before{indent}# buggy code\\n# each faulty line\\n<suffix>code after<middle>

The target is the fixed lines of the span; prompt and target use "\\n" even if the file has "\\r\\n".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from engine import params
from engine.domain import Bug, Patch, Sample, lines_of
from engine.errors import UserError
from engine.languages import language
from engine.languages.source import indent_of, source
from engine.models.layouts import LAYOUTS, layout_for
from engine.params import setting
from engine.representations import CannotShow
from engine.representations.line_ends import as_written, plain


class Ir4Or2:
    """Shows the function around the fault with the faulty lines commented out; reads the lines to put there."""

    name: ClassVar[str] = "ir4_or2"
    title: ClassVar[str] = "IR4 x OR2: faulty lines as a comment"

    class Params(params.Params):
        """What of the file is shown, and in which model's tokens."""

        name: Literal["ir4_or2"] = "ir4_or2"
        strip: bool = setting(
            True, "leave comments, doc-strings and blank lines out of the code around the fault", title="Strip comments"
        )
        context: Literal["function", "file"] = setting("function", "around the fault", title="Code shown")
        fim: Literal["auto", "qwen", "starcoder", "codellama", "deepseek"] = setting(
            "auto", "whose fill-in-the-middle tokens; auto: those that the model's tokenizer has", more=True
        )

    def __init__(self, params: Params) -> None:
        self.params = params
        self._layout = LAYOUTS["qwen" if params.fim == "auto" else params.fim]

    def for_vocabulary(self, vocabulary: frozenset[str] | None) -> Ir4Or2:
        if vocabulary is None:
            if self.params.fim == "auto":
                raise UserError(
                    "representation.fim: the service does not tell its model's tokens; choose whose fill-in-the-middle "
                    "tokens it takes",
                    field="representation.fim",
                )
            return self
        found = layout_for(vocabulary, self.params.fim)
        return type(self)(self.params.model_copy(update={"fim": found}))

    def encode(self, bug: Bug, notes: Sequence[str] = ()) -> Sample:
        before, after = self._around(bug)
        marker = language(bug.language).marker
        indent = indent_of(
            [*lines_of(bug.buggy_lines), *after, *reversed(before)]
        )  # an insertion's is that of what follows
        noted = [f"{indent}{marker} {note}\n" for note in notes]
        hole = [*noted, *self._shown(bug, indent, marker)]
        parts = [plain("".join(lines)) for lines in (before, hole, after)]
        target = as_written(bug.fixed_lines, bug)
        held = next((token for token in self._layout.special if any(token in part for part in [*parts, target])), "")
        if held:
            raise CannotShow(f"the code holds the special token {held}")
        if self.decode(target, bug).text != bug.fixed:
            raise CannotShow("the fix changes how lines end")
        tokens = self._layout
        prompt = f"{tokens.prefix}{parts[0]}{parts[1]}{tokens.suffix}{parts[2]}{tokens.middle}"
        return Sample.of(bug, prompt, target)

    def trim(self, completion: str, bug: Bug) -> str:
        """Up to where the answer repeats the line after the hole, else as many lines as are faulty."""
        lines = lines_of(self._layout.cut(completion))
        follows = next((line.rstrip() for line in self._around(bug)[1] if line.strip()), None)
        repeated = [place for place, line in enumerate(lines) if place and line.rstrip() == follows]
        return "".join(lines[: repeated[0] if repeated else max(1, len(lines_of(bug.buggy_lines)))])

    def decode(self, completion: str, bug: Bug) -> Patch:
        """Every text is some patch: an empty one deletes the faulty lines."""
        return Patch(bug.id, bug.patched(self._layout.cut(completion)))

    def _shown(self, bug: Bug, indent: str, marker: str) -> list[str]:
        """The faulty lines as a comment, each line ended."""
        shown = [f"{marker} {line}" for line in lines_of(bug.buggy_lines)]
        if shown and not shown[-1].endswith("\n"):
            shown[-1] += "\n"
        return [f"{indent}{marker} buggy code\n", *shown]

    def _around(self, bug: Bug) -> tuple[list[str], list[str]]:
        """The lines shown before and after the span."""
        read = source(bug.buggy, bug.language)
        lines: list[str | None] = read.bare_lines if self.params.strip else [*read.lines]
        place = read.enclosing(bug.span) if self.params.context == "function" else None
        first, last = (place.start - 1, place.end) if place else (0, len(lines))
        before = [line for line in lines[first : bug.span.start - 1] if line is not None]
        return before, [line for line in lines[bug.span.end : last] if line is not None]
