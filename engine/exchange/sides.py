"""A dataset on disk as an export reads it: its columns, and its rows by side, a group of them at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.dataset_card import COLUMNS
from engine.domain import Rows
from engine.errors import UserError
from engine.stored import Stored
from engine.training_set import rows_in

SIDES = {"train": "train", "validation": "valid"}  # in an export -> in our own files
RENAMED = {"id": "bug_id", "chosen": "target", "label": "is_wrong"}  # in an export -> in our own files
TOLD = {"completion_lines": "has_lines", "messages": "has_messages"}  # column -> what of a report says it is there
NUMBERS = ("n_prompt", "n_tokens")
AT_ONCE = 1000  # rows that are Python's at a time, and those of a Parquet group


@dataclass(frozen=True)
class Exportable:
    """One dataset on disk; `check` is called between groups of rows, and what it raises ends the export."""

    name: str
    folder: Path
    card: str
    report: Mapping[str, Any]
    check: Callable[[], None]

    @property
    def holds(self) -> Rows:
        """What its rows are."""
        return rows_in(self.folder)

    @property
    def columns(self) -> list[str]:
        """Those of an export, in their order."""
        left = {"target"} if self.holds == "preferences" else {"chosen", "rejected"}
        left |= {name for name, told in TOLD.items() if not self.report.get(told)}
        left |= {"label"} if self.holds != "answers" else set()
        return [name for name in COLUMNS if name not in left]

    def rows(self, side: str) -> Iterator[list[dict[str, Any]]]:
        """Rows with these columns, up to AT_ONCE at a time. Raises UserError on a damaged file."""
        stored = Stored(self._file(side))
        own = [RENAMED.get(name, name) for name in self.columns if name != "split"]
        for table in stored.tables(own, AT_ONCE):
            self.check()
            try:
                yield [_as_exported(row, self.columns, side) for row in table.to_pylist()]
            except UnicodeDecodeError:
                raise UserError(f"{self._file(side)} is damaged; build the dataset again") from None

    def has(self, side: str) -> bool:
        """Whether this side has any rows."""
        return self._file(side).exists() and len(Stored(self._file(side))) > 0

    def _file(self, side: str) -> Path:
        return self.folder / f"{SIDES[side]}.parquet"


def _as_exported(row: Mapping[str, Any], columns: list[str], side: str) -> dict[str, Any]:
    """A row with these columns; one that an earlier version did not write is empty."""
    found = {name: row.get(RENAMED.get(name, name)) for name in columns}
    empty = {name: 0 if name in NUMBERS else "" for name, value in found.items() if value is None}
    label = {"label": not row.get("is_wrong")} if "label" in columns else {}  # as TRL has it: true is right
    return found | empty | label | {"split": side}
