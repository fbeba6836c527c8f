"""Bugs from a table of holes: what is before one, what is after it, and the faulty and the fixed lines in it.

The columns `prefix`, `suffix`, `buggy_chunk` and `fixed_chunk` are those of Xia, Wei and Zhang's infilling (Automated
Program Repair in the Era of Large Pre-trained Language Models, ICSE 2023), whose parts have no line end at their ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from engine.builders.pairs import EMPTY, cleaned
from engine.builders.rows import TableRow
from engine.builders.table_bugs import BUG_COLUMNS, BugParams, bug_of
from engine.builders.tables import NOT_TEXT, Column, FromTable
from engine.domain import Bug, Rows
from engine.params import setting


class InfillingParams(BugParams):
    """The table, and the meaning of its columns."""

    name: Literal["infilling"] = "infilling"
    prefix: str = setting("", "column with the code before the hole; empty: the one called so")
    suffix: str = setting("", "column with the code after the hole; empty: the one called so")
    buggy_chunk: str = setting("", "column with the faulty code of the hole; empty: the one called so")
    fixed_chunk: str = setting("", "column with the fixed code of the hole; empty: the one called so")
    parts: Literal["lines", "characters"] = setting(
        "lines",
        "lines: a line end belongs between two parts and is put there if it is missing; characters: parts follow each "
        "other as they are",
        more=True,
    )


class Infilling(FromTable[InfillingParams, Bug]):
    """Puts the faulty and the fixed code of each row into its hole, which gives a function before and after a fix."""

    name: ClassVar[str] = "infilling"
    title: ClassVar[str] = "Infilling rows (prefix, suffix, chunks)"
    makes: ClassVar[Rows] = "bugs"
    Params = InfillingParams
    columns: ClassVar[Mapping[str, Column]] = {
        "prefix": Column(("prefix",), ("before",)),
        "suffix": Column(("suffix",), ("after",)),
        "buggy_chunk": Column(("buggy_chunk", "buggy_lines", "buggy_hunk"), ("bug",)),
        "fixed_chunk": Column(("fixed_chunk", "fixed_lines", "fixed_hunk"), ("fix",)),
        **BUG_COLUMNS,
    }

    def read(self, row: TableRow) -> Bug | str:
        prefix, suffix, buggy, fixed = (row.cells.get(name) for name in list(self.columns)[:4])
        if prefix is None or suffix is None or buggy is None or fixed is None:
            return EMPTY
        if not (isinstance(prefix, str) and isinstance(suffix, str) and isinstance(buggy, str)):
            return NOT_TEXT
        if not isinstance(fixed, str):
            return NOT_TEXT
        whole = [self._joined(prefix, chunk, suffix) for chunk in (buggy, fixed)]
        pair = cleaned(whole[0], whole[1], self.params.language, strip=self.params.strip)
        return pair if isinstance(pair, str) else bug_of(row, pair, self.params.language)

    def _joined(self, *parts: str) -> str:
        """The parts in order; an empty one has no lines."""
        if self.params.parts == "characters":
            return "".join(parts)
        end = "\r\n" if any("\r\n" in part for part in parts) else "\n"
        return "".join(part if part.endswith("\n") else part + end for part in parts if part)
