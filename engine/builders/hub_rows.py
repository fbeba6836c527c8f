"""The rows of a dataset on the Hugging Face hub, streamed by `datasets`, which runs no code of the dataset's.

`datasets` 5 has no loading scripts; before that they were run only with `trust_remote_code`, which nothing here sets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.builders import Funnel
from engine.builders.rows import LONGEST, TOO_LONG, TableRow
from engine.errors import UserError

FIELD = "builder.hub"
_ID = re.compile(r"[\w][\w.-]*/[\w][\w.-]*")


@dataclass(frozen=True)
class Hub:
    """A dataset by its id, "owner/name", or a folder with a copy of one. Nothing is read before `columns` or `rows`."""

    id: str
    subset: str
    split: str

    @classmethod
    def of(cls, name: str, subset: str, split: str) -> Hub:
        """Raises UserError if this can be the name of none."""
        if Path(name).is_absolute():
            if not Path(name).is_dir():
                raise UserError(f"hub: there is no folder {name!r}; give an id such as owner/name", field=FIELD)
        elif not _ID.fullmatch(name):
            raise UserError(f"hub: {name!r} is no id of a dataset; give one such as owner/name", field=FIELD)
        return cls(name, subset, split or "train")

    @property
    def name(self) -> str:
        return self.id

    def columns(self) -> list[str]:
        """See `Source.columns`."""
        dataset = self._opened()
        try:
            return list(dataset.column_names or next(iter(dataset), {}))
        except Exception as error:  # whatever a file of the dataset makes the library raise
            raise self._broken(error, "cannot be read") from None

    def rows(self, columns: Sequence[str], funnel: Funnel) -> Iterator[TableRow]:
        """See `Source.rows`."""
        dataset = self._opened()
        try:
            wanted = [name for name in dict.fromkeys(columns) if name in (dataset.column_names or ())]
            if wanted:
                dataset = dataset.select_columns(wanted)
            rows = iter(dataset)
        except Exception as error:
            raise self._broken(error, "cannot be read") from None
        number, name = 0, self.id.rstrip("/").rpartition("/")[2]
        while True:
            try:
                cells = next(rows, None)
            except Exception as error:
                raise self._broken(error, f"is broken after row {number}") from None
            if cells is None:
                return
            number += 1
            funnel.source += 1
            if _size(cells) > LONGEST:
                funnel.lose(TOO_LONG, f"row {number}")
            else:
                yield TableRow(f"{name}:{number}", number, f"row {number}", dict(cells))

    def total(self) -> int | None:
        return None

    def _opened(self) -> Any:
        """The dataset, with pictures and sounds as their bytes. Raises UserError where it cannot be had."""
        from datasets import load_dataset

        try:
            dataset = load_dataset(self.id, self.subset or None, split=self.split, streaming=True)
            return dataset.decode(False) if dataset.features else dataset
        except Exception as error:  # whatever the hub or the network makes the library raise
            raise UserError(
                f"hub: {self.id!r} cannot be read from the Hugging Face hub ({_first_line(error)}); check the id, the "
                f"split ({self.split!r}), the network and HF_TOKEN, or download it and name its folder as the file",
                field=FIELD,
            ) from None

    def _broken(self, error: Exception, what: str) -> UserError:
        return UserError(f"hub: {self.id!r} {what}: {_first_line(error)}", field=FIELD)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


def _size(cell: Any) -> int:
    """About the characters of a cell; counted up to LONGEST only."""
    waiting, size = [cell], 0
    while waiting and size <= LONGEST:
        each = waiting.pop()
        if isinstance(each, str | bytes):
            size += len(each)
        elif isinstance(each, dict):
            waiting += [*each.keys(), *each.values()]
        elif isinstance(each, list | tuple):
            size += len(each)
            waiting += each
    return size
