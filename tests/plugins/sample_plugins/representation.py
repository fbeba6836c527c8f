"""A representation that shows the code before the fault."""

from __future__ import annotations

from typing import ClassVar, Literal

from engine import params
from engine.domain import Patch, lines_of
from engine.domain import Sample as Shown
from engine.representations import CannotShow


class Sample:
    """The lines before the faulty ones; the model writes the others."""

    name: ClassVar[str] = "sample"

    class Params(params.Params):
        """Nothing to set."""

        name: Literal["sample"] = "sample"

    def __init__(self, params):
        pass

    def for_vocabulary(self, vocabulary):
        return self

    def encode(self, bug, notes=()):
        if self.decode(bug.fixed_lines, bug).text != bug.fixed or not bug.fixed_lines:
            raise CannotShow("the fix writes nothing, or other ends of lines")
        prompt = "".join([*lines_of(bug.buggy)[: bug.span.start - 1], *(f"# {note}\n" for note in notes)])
        if bug.fixed_lines.strip() in prompt:
            raise CannotShow("the code before the fault holds the fix")
        return Shown.of(bug, prompt, bug.fixed_lines)

    def trim(self, completion, bug):
        return completion.partition("\n\n")[0]

    def decode(self, completion, bug):
        if not completion.strip():
            return Patch(bug.id, None, "an empty answer")
        return Patch(bug.id, bug.replace_span(completion))
