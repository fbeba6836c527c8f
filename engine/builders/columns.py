"""Bugs from a table of function pairs: one column holds the faulty code, another the fixed code.

The defaults are the columns of Megadiff's single-function set (RepairLLaMA, arXiv 2312.15698).
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


class ColumnsParams(BugParams):
    """The table, and the meaning of its columns."""

    name: Literal["columns"] = "columns"
    buggy: str = setting("buggy_function", "column with the faulty code")
    fixed: str = setting("fixed_function", "column with the fixed code")


class Columns(FromTable[ColumnsParams, Bug]):
    """Reads a faulty and a fixed function from each row; a row that gives no bug is counted with the reason."""

    name: ClassVar[str] = "columns"
    title: ClassVar[str] = "Bug fixes in a table"
    makes: ClassVar[Rows] = "bugs"
    Params = ColumnsParams
    columns: ClassVar[Mapping[str, Column]] = {
        "buggy": Column(
            ("buggy_function", "buggy_code", "buggy", "func_src_before", "func_before", "before", "old"),
            ("bug", "before", "old", "vulnerable"),
        ),
        "fixed": Column(
            ("fixed_function", "fixed_code", "fixed", "func_src_after", "func_after", "after", "fix", "new"),
            ("fix", "after", "new", "patched"),
        ),
        **BUG_COLUMNS,
    }

    def read(self, row: TableRow) -> Bug | str:
        buggy, fixed = row.cells.get("buggy"), row.cells.get("fixed")
        if buggy is None or fixed is None:
            return EMPTY
        if not isinstance(buggy, str) or not isinstance(fixed, str):
            return NOT_TEXT
        pair = cleaned(buggy, fixed, self.params.language, strip=self.params.strip)
        return pair if isinstance(pair, str) else bug_of(row, pair, self.params.language)
