"""One thing that a builder made, with all that can be known of it alone: its keys, and how it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from engine.builders import BuilderOutput
from engine.domain import Bug, Preference, Sample
from engine.representations import CannotShow, Representation
from engine.representations.chat_template import ChatTemplate
from engine.work.duplicates import Compared, Read, texts_of
from engine.work.overlap import Hit, Overlap

LONGEST_NAME = 1000  # characters; of one with a longer name nothing else is found out


class Item(Protocol):
    """What a build knows of each thing read before it decides what becomes of it."""

    @property
    def keys(self) -> Compared:
        """Its name, and what it is compared with earlier ones by."""

    @property
    def longest_name(self) -> int:
        """Characters of the longest of its id, project, kind and more, which a build holds in memory."""

    @property
    def hits(self) -> Sequence[Hit]:
        """The code of benchmarks that it has."""

    @property
    def problem(self) -> str:
        """Why it cannot be shown; empty if it can."""

    @property
    def characters(self) -> int:
        """Of the texts that are tokenised."""


@dataclass(frozen=True)
class Showing:
    """How all things of a build are shown, and the benchmarks that they are compared with."""

    representation: Representation
    template: ChatTemplate  # which turns messages into text
    overlap: Overlap


class Made:
    """An item as a builder made it: what is asked of it is found out then. Raises UserError for unknown languages."""

    def __init__(self, made: BuilderOutput, showing: Showing) -> None:
        self.made = made
        self.keys = Read(made)
        self._showing = showing

    @property
    def longest_name(self) -> int:
        each = self.made
        of_bug = (each.cwe, each.date) if isinstance(each, Bug) else ()
        return max(map(len, (self.keys.name, each.project, each.kind, each.language, *of_bug)))

    @cached_property
    def hits(self) -> Sequence[Hit]:
        return self._showing.overlap.find(self.keys)

    @property
    def problem(self) -> str:
        return self._shown if isinstance(self._shown, str) else ""

    @property
    def encoded(self) -> Sample | Preference:
        """What is trained on; only of one without a problem."""
        assert not isinstance(self._shown, str)
        return self._shown

    @property
    def characters(self) -> int:
        return sum(map(len, texts_of(self.encoded)))

    @cached_property
    def _shown(self) -> Sample | Preference | str:
        """A bug in the representation, all else unchanged, as text; or why it cannot be shown."""
        each, template = self.made, self._showing.template
        try:
            if isinstance(each, Bug):
                return template.in_text(self._showing.representation.encode(each, each.notes))
            return template.in_text(each) if isinstance(each, Sample) else template.pair_in_text(each)
        except CannotShow as error:
            return str(error)
