"""How the rows of another program's file become ours: by which fields it is recognised, and what they mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

LONGEST_WHO = 100  # characters of the name of who made patches


@dataclass(frozen=True)
class Reader:
    """A format that patches come in; `read` makes rows as in `engine.candidates`, with verdicts where there are some.

    `read` gets rows that have all of `needs`, and may raise ValueError where their values make no sense.
    """

    title: str  # in a sentence, "SWE-bench predictions"
    needs: tuple[str, ...]  # fields that every row has
    read: Callable[[dict[str, Any]], Iterator[dict[str, Any]]]
    who: str = ""  # the field that names who made the patches

    def knows(self, row: Mapping[str, Any]) -> bool:
        """Whether a row has the fields of this format."""
        return all(name in row for name in self.needs)
