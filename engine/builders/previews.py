"""The first rows of a table, what each of them becomes, and what is wrong with those that become nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.builders import BuilderOutput, Funnel
from engine.builders.rows import TableRow
from engine.builders.sources import Source, Tables
from engine.domain import Bug, Message, Preference
from engine.errors import UserError
from engine.params import in_unicode

LOOKED_AT, LOOK_S = 200, 0.3  # rows, and seconds: what is wrong with the first ones is said before a run


@dataclass(frozen=True)
class Part:
    """A part of what a row becomes, and what a model does with it."""

    role: str  # "read", "learned", "faulty code" ...
    text: str
    is_learned: bool = False


@dataclass(frozen=True)
class Preview:
    """The first rows as text, and what is wrong with those that were looked at."""

    columns: Sequence[str]
    rows: Sequence[Mapping[str, str]]
    funnel: Funnel  # of the rows that were looked at; those that cannot be read, or become nothing, are lost
    trouble: str  # why nothing behind them can be read; empty where it can
    roles: Mapping[str, str] = field(default_factory=dict)  # column -> the setting that names it
    made: Sequence[Sequence[Part] | str] = ()  # what each of `rows` becomes, or why nothing; empty: it is not known
    is_whole: bool = False  # whether all rows there are were looked at
    note: str = ""  # why nothing is shown, though nothing is wrong

    @property
    def n_made(self) -> int:
        """How many of the rows that were looked at become something."""
        return self.funnel.source - sum(self.funnel.lost.values())


def preview_of(
    source: Source,
    rows: int,
    roles: Mapping[str, str] | None = None,
    read: Callable[[TableRow], BuilderOutput | str] | None = None,
) -> Preview:
    """The first `rows` rows with all their columns. Raises UserError where the columns cannot be read.

    `roles`: column -> the setting that names it; `read`: what a row becomes, or the reason why nothing.
    """
    columns, funnel = source.columns(), Funnel()
    found: list[Mapping[str, str]] = []
    made: list[Sequence[Part] | str] = []
    until = time.monotonic() + LOOK_S
    trouble, is_whole = "", False
    try:
        for row in source.rows(columns, funnel):
            output = read(row) if read else None
            if isinstance(output, str):
                funnel.lose(output, row.where)
            if len(found) < rows:
                found.append({column: _shown(row.cells.get(column)) for column in columns})
                made += [output if isinstance(output, str) else parts_of(output)] if output is not None else []
            if len(found) == rows and (funnel.source >= LOOKED_AT or time.monotonic() > until):
                break
        else:
            is_whole = True
    except UserError as error:
        trouble = str(error)
    return Preview(columns, found, funnel, trouble, roles or {}, made, is_whole)


def preview(path: Path, rows: int = 5) -> Preview:
    """The first `rows` rows of one file. Raises UserError where its columns cannot be read."""
    return preview_of(Tables([path]), rows)


def parts_of(made: BuilderOutput) -> list[Part]:
    """What a bug, a sample or a preference consists of."""
    if isinstance(made, Bug):
        return [Part("faulty code", made.buggy), Part("fixed code", made.fixed, True)]
    if isinstance(made, Preference):
        asked = [Part("prompt", made.prompt)] if isinstance(made.prompt, str) else [*map(_said, made.prompt)]
        return [*asked, Part("better answer", made.chosen, True), Part("worse answer", made.rejected)]
    return [
        Part(f"{each.role or 'text'}, {'learned' if each.is_learned else 'read'}", each.text, each.is_learned)
        for each in made.segments
    ]


def _said(message: Message) -> Part:
    return Part(f"{message.role}, read", message.text)


def nothing_of(found: Preview) -> str:
    """That none of the rows that were looked at becomes anything, and why."""
    first = found.funnel.examples
    why = "; ".join(f"{count} {reason} (first: {first[reason]})" for reason, count in found.funnel.lost.items())
    which = "no row" if found.is_whole else f"none of the first {found.funnel.source:,} rows"
    return f"{which} can be read with these columns: {why}; choose other columns, or another kind of rows"


def _shown(cell: Any) -> str:
    """A cell for people, lists and objects as JSON."""
    with suppress(RecursionError, ValueError):
        return text_of(json.dumps(cell, ensure_ascii=False, default=str) if isinstance(cell, list | dict) else cell)
    return text_of(cell)


def text_of(cell: Any) -> str:
    """A cell as text that can be shown; empty for none, and for lists in lists without end."""
    try:
        return "" if cell is None else in_unicode(str(cell))
    except (RecursionError, ValueError):  # the latter for an integer of more than 4,300 digits
        return ""
