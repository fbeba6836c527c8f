"""What the representations of RepairLLaMA (arXiv 2312.15698) share: their settings, and what makes a sample of a bug.

IR1 to IR4 are four ways to show a function (as it is; the faulty lines between comments; a hole; a hole with the faulty
lines as a comment), OR1 to OR4 four ways to answer (the function; the fixed lines; a diff with three lines around each
change; with one). Prompts and targets have lines that end with a newline alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, Self

from engine import params
from engine.domain import Bug, Patch, Sample, Span
from engine.languages import language
from engine.models.layouts import cut_at, special_in
from engine.params import setting
from engine.representations import CannotShow
from engine.representations.line_ends import plain
from engine.representations.region import function_of, whole_of

FILL_ME = "<FILL_ME>"


class Settings(params.Params):
    """What all of them can be set to."""

    mark: Literal["fim", "literal"] = setting(
        "fim",
        f"fim: the model's own fill-in-the-middle tokens; literal: the published text with {FILL_ME}",
        title="Hole",
    )
    context: Literal["function", "file"] = setting("function", "around the fault", title="Code shown")
    instruction: str = setting("", "a sentence on a line above the code; empty: none", more=True)
    begin: str = setting(
        "",
        "text in front of all else, such as <s>, the token that begins a text for Llama's tokenizers; empty: none",
        more=True,
        max_length=100,
    )


class WithoutHole(Settings):
    """The settings of those whose text is the published one for every model."""

    mark: Literal["fim", "literal"] = setting("fim", "without effect: no hole is shown", title="Hole", more=True)
    strip: bool = setting(False, "leave comments, docstrings and blank lines out", title="Strip comments")


class Published:
    """Shows a bug in parts, between which the hole is; one of them where there is none."""

    name: ClassVar[str]
    params: Settings
    special: tuple[str, ...] = ()  # texts that mean something to the model, so that no code may hold them
    _unreadable: ClassVar[str] = "the fix changes how lines end"  # why a target does not give the fix back

    def __init__(self, params: Settings) -> None:
        self.params = params

    def for_vocabulary(self, vocabulary: frozenset[str] | None) -> Self:
        made = type(self)(self.params)
        made.special = special_in(vocabulary or frozenset())
        return made

    def encode(self, bug: Bug, notes: Sequence[str] = ()) -> Sample:
        parts, target = [plain(part) for part in self._parts(bug, notes)], self._target(bug)
        sentence = self.params.instruction
        parts[0] = f"{sentence}\n{parts[0]}" if sentence else parts[0]
        held = next((token for token in self.special if any(token in part for part in [*parts, target])), "")
        if held:
            raise CannotShow(f"the code holds the special token {held}")
        if not self._is_fix(self.decode(target, bug), bug):
            raise CannotShow(self._unreadable)
        return Sample.of(bug, self.params.begin + self._joined(parts), target)

    def decode(self, completion: str, bug: Bug) -> Patch:
        raise NotImplementedError

    def _parts(self, bug: Bug, notes: Sequence[str]) -> list[str]:
        raise NotImplementedError

    def _target(self, bug: Bug) -> str:
        raise NotImplementedError

    def _is_fix(self, patch: Patch, bug: Bug) -> bool:
        """Whether the patch that was read from the target is the known fix."""
        return patch.text == bug.fixed

    def _joined(self, parts: Sequence[str]) -> str:
        return "".join(parts)

    def _cut(self, completion: str) -> str:
        return cut_at(completion, self.special)

    def _place(self, bug: Bug) -> Span:
        """The lines of the file that are worked on."""
        return whole_of(bug) if self.params.context == "file" else function_of(bug)


def noted(notes: Sequence[str], bug: Bug, indent: str = "") -> list[str]:
    """What is known besides the code, each line of it as a comment."""
    lines = [line for note in notes for line in note.split("\n")]
    return [f"{indent}{language(bug.language).marker} {line}".rstrip() + "\n" for line in lines]


def ended(lines: Sequence[str]) -> list[str]:
    """The lines, each with an end."""
    return [line if line.endswith("\n") else f"{line}\n" for line in lines]
