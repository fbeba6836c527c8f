"""Where a table's rows are: in a file, a folder of tables, a folder that `datasets` saved, or on the Hugging Face hub.

`Dataset.save_to_disk` writes state.json with the names of Arrow files, `DatasetDict.save_to_disk` dataset_dict.json
with the names of splits, each a folder of that kind. In other folders a table belongs to the split whose name is a word
of its path, as in `data/train-00000-of-00002.parquet` (https://huggingface.co/docs/datasets/repository_structure).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from engine import params
from engine.builders import Funnel
from engine.builders.diff_tables import names_of, tables_in, total_of
from engine.builders.hub_rows import Hub
from engine.builders.rows import FIELD, TableRow, check_columns, columns_of, rows_of
from engine.errors import UserError
from engine.params import Place, setting, shown

SPLITS = {"train": "train|training", "test": "test|testing", "validation": "validation|valid|val|dev|eval"}
_MOST = 10_000  # bytes of a file that lists others, for each of a thousand


class TableParams(params.Params):
    """The table that is read."""

    file: Place = setting(
        "",
        "a .jsonl (one object per line), .csv or .parquet file, a folder of such files, or a folder that Hugging "
        "Face's datasets has saved",
        upload=".jsonl,.json,.csv,.parquet",
    )
    hub: str = setting(
        "", "in place of a file: a dataset of the Hugging Face hub, such as openai/openai_humaneval, read as it comes",
        title="Hugging Face dataset", max_length=300,
    )  # fmt: skip
    split: str = setting("train", "of a folder or a hub's dataset: which of its splits", more=True, max_length=100)
    subset: str = setting("", "of a hub's dataset: which of its configurations", more=True, max_length=100)


class Source(Protocol):
    """The rows of one table."""

    @property
    def name(self) -> str:
        """What messages call it."""

    def columns(self) -> list[str]:
        """All there are. Raises UserError where they cannot be read."""

    def rows(self, columns: Sequence[str], funnel: Funnel) -> Iterator[TableRow]:
        """Stream the rows with these columns; counts every one into `funnel.source`, unreadable ones as lost.

        Raises UserError where the source cannot be read, or has no such column.
        """

    def total(self) -> int | None:
        """How many rows there are; None where it is not known without reading them."""


def source_of(settings: TableParams) -> Source:
    """What the settings name. Raises UserError if that is nothing, or does not exist."""
    if settings.file and settings.hub:
        raise UserError("hub: a file is named too; leave one of the two empty", field="builder.hub")
    if settings.hub:
        return Hub.of(settings.hub, settings.subset, settings.split)
    if not settings.file:
        raise UserError("no file is named; name a .jsonl, .csv or .parquet file", field=FIELD)
    return Tables(tables_of(Path(settings.file), settings.split))


@dataclass(frozen=True)
class Tables:
    """Files that are one table."""

    paths: Sequence[Path]

    @property
    def name(self) -> str:
        return self.paths[0].name

    def columns(self) -> list[str]:
        """Those of the first file; `rows` says which file lacks one."""
        return columns_of(self.paths[0])

    def rows(self, columns: Sequence[str], funnel: Funnel) -> Iterator[TableRow]:
        """See `Source.rows`."""
        for path in self.paths:
            check_columns(path, list(columns))
        for path, name in zip(self.paths, names_of(self.paths), strict=True):
            inside = f"{name}, " if len(self.paths) > 1 else ""
            of_file = Funnel(told=partial(_lose, funnel, inside))
            for row in rows_of(path, list(columns), of_file):
                funnel.source += of_file.source
                of_file.source = 0
                yield TableRow(f"{name}:{row.number}", row.number, f"{inside}row {row.number}", row.cells)
            funnel.source += of_file.source

    def total(self) -> int | None:
        return total_of(self.paths)


def _lose(funnel: Funnel, inside: str, reason: str, where: str) -> None:
    funnel.lose(reason, inside + where)


def tables_of(place: Path, split: str) -> list[Path]:
    """The files of a table; a missing or unreadable file is left to its reader. Raises UserError for a bad folder."""
    if not place.is_dir():
        return [place]
    if (place / "dataset_dict.json").is_file():
        known = _listed(place / "dataset_dict.json", "splits")
        if split not in known:
            raise _no_split(place, split, known)
        place = place / split
    if (place / "state.json").is_file():
        return [place / name for name in _listed(place / "state.json", "_data_files")]
    return _of_split(place, split)


def splits_of(place: Path) -> list[str]:
    """The names of a folder's splits; empty where it has none."""
    if (place / "dataset_dict.json").is_file():
        return _listed(place / "dataset_dict.json", "splits")
    return [name for name in SPLITS if any(_is_of(name, path, place) for path in tables_in(place))]


def _of_split(folder: Path, split: str) -> list[Path]:
    """The tables of a folder that belong to a split, or all where none belongs to any."""
    tables = tables_in(folder)
    if not tables:
        raise UserError(
            f"there is no .jsonl, .csv or .parquet file in the folder {str(folder)!r}; choose another", field=FIELD
        )
    known = splits_of(folder)
    if not known or not split:
        return tables
    found = [path for path in tables if _is_of(split, path, folder)]
    if not found:
        raise _no_split(folder, split, known)
    return found


def _is_of(split: str, table: Path, folder: Path) -> bool:
    """Whether the split's name is a word of the table's path in the folder."""
    path = table.relative_to(folder).with_suffix("").as_posix()
    return bool(re.search(rf"(?<![^\W_])({SPLITS.get(split, re.escape(split))})(?![^\W_])", path, re.IGNORECASE))


def _no_split(folder: Path, split: str, known: Sequence[str]) -> UserError:
    there = ", ".join(known) or "none"
    return UserError(f"split: {folder.name} has no split {split!r}; its splits: {there}", field="builder.split")


def _listed(path: Path, key: str) -> list[str]:
    """The names of files or folders beside `path` that it lists under `key`. Raises UserError where it lists none."""
    try:
        with path.open("rb") as file:
            text = file.read(1000 * _MOST)
        found = json.loads(text)[key]
        names = [each["filename"] if isinstance(each, dict) else each for each in found if isinstance(found, list)]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        names = []
    if not names:
        raise UserError(f"{path} lists nothing that datasets has saved; save the dataset again", field=FIELD)
    for name in names:
        if not isinstance(name, str) or name in ("", ".", "..") or re.search(r"[/\\\0]", name):
            raise UserError(f"{path} names {shown(name)}, which is no file or folder beside it", field=FIELD)
    return names
