"""Bugs from a file of function pairs: one column holds the faulty code, another the fixed code.

The defaults are the columns of Megadiff's single-function set (RepairLLaMA, arXiv 2312.15698).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, ClassVar, Literal

from engine import params
from engine.builders import Funnel
from engine.builders.pairs import EMPTY, cleaned
from engine.builders.rows import Row, check_columns, columns_of, count_of, rows_of
from engine.domain import Bug, Rows, span_of_change
from engine.errors import UserError
from engine.languages import language
from engine.params import Place, in_unicode, setting

__all__ = ["Columns", "columns_of", "preview"]


COLUMN_WORDS = {  # setting -> words in the names of such columns in other people's files
    "buggy": ("bug", "before", "old", "vulnerable"),
    "fixed": ("fix", "after", "new", "patched"),
}
LOOKED_AT, LOOK_S = 200, 0.3  # rows of a preview, and seconds: what is wrong with the first ones is said before a run


class Columns:
    """Reads a faulty and a fixed function from each row; a row that gives no bug is counted with the reason."""

    name: ClassVar[str] = "columns"
    title: ClassVar[str] = "Pairs in a file"
    makes: ClassVar[Rows] = "bugs"

    class Params(params.Params):
        """The file, and the meaning of its columns."""

        name: Literal["columns"] = "columns"
        file: Place = setting(
            "", "a .jsonl (one object per line), .csv or .parquet file", upload=".jsonl,.json,.csv,.parquet"
        )
        buggy: str = setting("buggy_function", "column with the faulty code")
        fixed: str = setting("fixed_function", "column with the fixed code")
        id: str = setting("", "column with a unique name; empty: the row's number")
        project: str = setting("", "column with the project, so that no project is split; empty: not known")
        language: Literal["python", "java", "c"] = setting("python", "programming language of the code")
        strip: bool = setting(
            False, "remove comments, docstrings and blank lines, as the training data of RepairLLaMA has none"
        )

    def __init__(self, params: Params) -> None:
        self.params = params
        self._path = Path(params.file)

    def check(self) -> None:
        """Raises UserError if the file or one of its columns is missing."""
        check_columns(self._file(), self._wanted)

    @property
    def _wanted(self) -> list[str]:
        params = self.params
        return [column for column in (params.buggy, params.fixed, params.id, params.project) if column]

    def total(self) -> int | None:
        return count_of(self._file())

    def choices(self) -> Mapping[str, Sequence[str]]:
        """The file's columns for each setting that names one; columns with a matching name come first."""
        columns = list(columns_of(self._path)) if self.params.file else []
        ranked = {name: sorted(columns, key=partial(_has_no_word, words)) for name, words in COLUMN_WORDS.items()}
        own = {name: [each for each in columns if each.lower() == name] for name in ("id", "project")}
        return ranked | {name: [*same, "", *(x for x in columns if x not in same)] for name, same in own.items()}

    def stream(self, seed: int, funnel: Funnel) -> Iterator[Bug]:
        """In the order of the file, whatever the seed."""
        seen: set[bytes] = set()  # 8 bytes per id, the only memory that grows with the file
        for row in rows_of(self._file(), self._wanted, funnel):
            bug = self._bug(row)
            if isinstance(bug, str):
                funnel.lose(bug, self._place(row))
                continue
            digest = blake2b(bug.id.encode(), digest_size=8).digest()
            if digest in seen:
                funnel.lose("id seen before", self._place(row))
                continue
            seen.add(digest)
            yield bug

    def _place(self, row: Row) -> str:
        """Where a row is, with its id, by which it may be missed."""
        name = _text(row.cells.get(self.params.id)) if self.params.id else ""
        return f"row {row.number} ({name})" if name else f"row {row.number}"

    def _file(self) -> Path:
        if not self.params.file:
            raise UserError("no file is named; name a .jsonl, .csv or .parquet file", field="builder.file")
        return self._path

    def _bug(self, row: Row) -> Bug | str:
        """The row's bug, or the reason why it has none."""
        params = self.params
        buggy, fixed = row.cells.get(params.buggy), row.cells.get(params.fixed)
        if buggy is None or fixed is None:
            return EMPTY
        if not isinstance(buggy, str) or not isinstance(fixed, str):
            return "a cell is not text"
        pair = cleaned(buggy, fixed, params.language, strip=params.strip)
        if isinstance(pair, str):
            return pair
        id_ = _text(row.cells.get(params.id)) if params.id else f"{self._path.stem}:{row.number}"
        if not id_:
            return "empty id"
        ending = language(params.language).ending
        return Bug(
            id_, params.language, f"{row.number}{ending}", *pair, span_of_change(*pair),
            project=_text(row.cells.get(params.project)) if params.project else "", is_function=True,
        )  # fmt: skip


@dataclass(frozen=True)
class Preview:
    """The first rows of a file as text, and what is wrong with those that were looked at."""

    columns: Sequence[str]
    rows: Sequence[Mapping[str, str]]
    funnel: Funnel  # of the rows that were looked at; those that cannot be read are lost
    trouble: str  # why nothing behind them can be read; empty where it can


def preview(path: Path, rows: int = 5) -> Preview:
    """The first `rows` rows with all their columns. Raises UserError where the columns cannot be read."""
    columns, funnel = columns_of(path), Funnel()
    found: list[Mapping[str, str]] = []
    until = time.monotonic() + LOOK_S
    try:
        for row in rows_of(path, columns, funnel):
            if len(found) < rows:
                found.append({column: _text(row.cells.get(column)) for column in columns})
            if len(found) == rows and (funnel.source >= LOOKED_AT or time.monotonic() > until):
                break
    except UserError as error:
        return Preview(columns, found, funnel, str(error))
    return Preview(columns, found, funnel, "")


def _has_no_word(words: Sequence[str], column: str) -> bool:
    return not any(word in column.lower() for word in words)


def _text(cell: Any) -> str:
    return "" if cell is None else in_unicode(str(cell))
