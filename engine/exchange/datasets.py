"""A dataset as files for other programs, a row for each sample, written a group of rows at a time.

Samples have `prompt` and `target`; preferences have `prompt`, `chosen` and `rejected` (`trl` reads them so); of single
answers `label` says whether `target` is right. The folder
is laid out as Hugging Face's `datasets.load_dataset("FOLDER")` reads it:
https://huggingface.co/docs/datasets/repository_structure
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from engine.domain import Rows
from engine.errors import UserError
from engine.exchange import chats
from engine.exchange.sides import NUMBERS, SIDES, Exportable


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
    types = {"label": pa.bool_(), **dict.fromkeys(NUMBERS, pa.int64())}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in dataset.columns])
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
    holds: Rows | None = None  # what the dataset must hold; None: whatever it does


def _chat(name: str, title: str, what: str, to_row: chats.ToRow, holds: Rows = "samples") -> DatasetForm:
    return DatasetForm(name, ".jsonl", title, what, chats.written(to_row, holds), holds=holds)


DATASET_FORMS: dict[str, DatasetForm] = {
    form.name: form
    for form in (
        DatasetForm("jsonl", ".jsonl", "JSONL", "a row for each sample as JSON lines", write_jsonl),
        DatasetForm("parquet", ".parquet", "Parquet", "the same as Parquet, for pandas or DuckDB", write_parquet),
        DatasetForm(
            "hf", ".zip", "Hugging Face", "a folder for datasets.load_dataset, with its card", write_zip, write_folder
        ),
        _chat("openai", "OpenAI messages", "conversations as OpenAI and TRL read them", chats.openai),
        _chat("firefly", "Firefly", "conversations as Firefly reads them", chats.firefly),
        _chat("sharegpt", "ShareGPT", "conversations as FastChat reads them", chats.sharegpt),
        _chat("alpaca", "Alpaca", "instructions with one answer each", chats.alpaca),
        _chat("dpo", "DPO pairs", "a better and a worse answer as conversations", chats.dpo, "preferences"),
        DatasetForm("card", ".md", "Dataset card", "what is in it and what was left out, as Markdown", write_card),
        DatasetForm("report", ".json", "Figures", "its counts, histograms and shares as JSON", write_report),
    )
}


def form_of(name: str) -> DatasetForm:
    """The format of this name. Raises UserError, which lists the known ones."""
    if name not in DATASET_FORMS:
        raise UserError(f"format: of a dataset it should be one of {', '.join(DATASET_FORMS)} (got {name!r})")
    return DATASET_FORMS[name]
