"""A dataset as files for other programs, a row for each sample, written a group of rows at a time.

Samples have `prompt` and `target`; preferences have `prompt`, `chosen` and `rejected` (`trl` reads them so). The folder
is laid out as Hugging Face's `datasets.load_dataset("FOLDER")` reads it:
https://huggingface.co/docs/datasets/repository_structure
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO

from engine.dataset_card import COLUMNS
from engine.errors import UserError
from engine.stored import Stored
from engine.training_set import rows_in

SIDES = {"train": "train", "validation": "valid"}  # in an export -> in our own files
RENAMED = {"id": "bug_id", "chosen": "target"}  # in an export -> in our own files
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
    def columns(self) -> list[str]:
        """Those of an export, in their order."""
        left = {"target"} if rows_in(self.folder) == "preferences" else {"chosen", "rejected"}
        left |= set() if self.report.get("has_lines") else {"completion_lines"}
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
    return found | empty | {"split": side}


def write_jsonl(dataset: Exportable, file: BinaryIO) -> None:
    """A JSON object a line, UTF-8, training samples first; https://jsonlines.org."""
    for side in SIDES:
        if not dataset.has(side):
            continue
        for rows in dataset.rows(side):
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False).encode("utf-8", "replace") + b"\n")


def write_parquet(dataset: Exportable, file: BinaryIO) -> None:
    """One Parquet file of both sides; the column `split` tells which."""
    _write_sides(dataset, [side for side in SIDES if dataset.has(side)], file)


def _write_sides(dataset: Exportable, sides: list[str], file: IO[bytes]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    # without pyarrow's functions for arrays, which import pandas: 40 MiB in the server
    schema = pa.schema([(name, pa.int64() if name in NUMBERS else pa.string()) for name in dataset.columns])
    with parquet.ParquetWriter(file, schema, compression="zstd", write_statistics=False) as writer:
        for side in sides:
            for rows in dataset.rows(side):
                arrays = [pa.array([row[each.name] for row in rows], each.type) for each in schema]
                writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def files_of(dataset: Exportable) -> Iterator[tuple[str, Callable[[IO[bytes]], None]]]:
    """The files of a Hugging Face folder: each one's path in it, and what writes it."""
    yield "README.md", lambda file: _write_text(dataset.card, file)
    for side in SIDES:
        if dataset.has(side):
            yield f"data/{side}-00000-of-00001.parquet", lambda file, side=side: _write_sides(dataset, [side], file)  # type: ignore[misc]


def _write_text(text: str, file: IO[bytes]) -> None:
    file.write(text.encode("utf-8", "replace"))


def write_zip(dataset: Exportable, file: BinaryIO) -> None:
    """The files of a Hugging Face folder in one .zip, for a browser."""
    with zipfile.ZipFile(file, "w") as archive:  # Parquet is compressed already
        for name, write in files_of(dataset):
            with archive.open(name, "w", force_zip64=True) as part:
                write(part)


def write_folder(dataset: Exportable, folder: Path) -> None:
    """The same as a folder, which must not exist."""
    for name, write in files_of(dataset):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            write(file)


def write_card(dataset: Exportable, file: BinaryIO) -> None:
    """The card alone, as Markdown."""
    _write_text(dataset.card, file)


def write_report(dataset: Exportable, file: BinaryIO) -> None:
    """The report as JSON: the funnel, histograms, shares and all else that the page shows."""
    _write_text(json.dumps(dataset.report, indent=2) + "\n", file)


@dataclass(frozen=True)
class DatasetForm:
    """A format that a dataset can be written in."""

    name: str  # in a link and in the shell
    ending: str
    title: str  # on a page
    what: str
    write: Callable[[Exportable, BinaryIO], None]
    write_folder: Callable[[Exportable, Path], None] | None = None  # in a shell it is a folder


DATASET_FORMS: dict[str, DatasetForm] = {
    form.name: form
    for form in (
        DatasetForm("jsonl", ".jsonl", "JSONL", "a row for each sample as JSON lines", write_jsonl),
        DatasetForm("parquet", ".parquet", "Parquet", "the same as Parquet, for pandas or DuckDB", write_parquet),
        DatasetForm(
            "hf", ".zip", "Hugging Face", "a folder for datasets.load_dataset, with its card", write_zip, write_folder
        ),
        DatasetForm("card", ".md", "Dataset card", "what is in it and what was left out, as Markdown", write_card),
        DatasetForm("report", ".json", "Figures", "its counts, histograms and shares as JSON", write_report),
    )
}


def form_of(name: str) -> DatasetForm:
    """The format of this name. Raises UserError, which lists the known ones."""
    if name not in DATASET_FORMS:
        raise UserError(f"format: of a dataset it should be one of {', '.join(DATASET_FORMS)} (got {name!r})")
    return DATASET_FORMS[name]
