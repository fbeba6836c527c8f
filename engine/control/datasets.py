"""Training sets: which there are, what their building lost, and any sample as training will see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from engine.builders.columns import columns_of, preview
from engine.errors import UserError
from engine.params import place
from storage import queries
from storage.database import Database
from storage.tables import Dataset


@dataclass(frozen=True)
class ShownSample:
    """One sample as training will see it; `pieces` are its tokens as text, each with whether its loss is learned."""

    index: int  # from 0, among those that match the search
    total: int
    bug_id: str
    kind: str
    prompt: str
    target: str
    buggy: str
    fixed: str
    pieces: tuple[tuple[str, bool], ...]

    @property
    def n_tokens(self) -> int:
        return len(self.pieces)


class Datasets:
    """The training sets a workspace knows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self) -> Sequence[Dataset]:
        """Newest first."""
        with self._database.read() as session:
            return queries.datasets(session)

    def names(self) -> Sequence[str]:
        return [row.name for row in self.list()]

    def get(self, name: str) -> Dataset:
        """Raises UserError naming those there are."""
        with self._database.read() as session:
            row = queries.dataset_named(session, name)
        if row is None:
            raise UserError(f"dataset: there is no data set called {name!r}; known: {self._known()}", field="dataset")
        return row

    def _known(self) -> str:
        return ", ".join(self.names()) or "none yet; build one first"

    def resolve(self, reference: str) -> tuple[str, str]:
        """(absolute folder, content hash) of a data set by name or by folder. Raises UserError."""
        if not reference:
            raise UserError(f"dataset: choose a data set; known: {self._known()}", field="dataset")
        folder = place(reference, field="dataset")
        if (folder / "train.parquet").exists():
            return str(folder.resolve()), ""
        row = self.get(reference)
        if not (Path(row.folder) / "train.parquet").exists():
            raise UserError(
                f"dataset: the files of {reference!r} are gone from {row.folder}; build it again or choose another "
                "data set",
                field="dataset",
            )
        return row.folder, row.hash

    def columns(self, file: str) -> Sequence[str]:
        """Column names of a JSONL, CSV or Parquet file. Raises UserError."""
        return columns_of(place(file, field="builder.file"))

    def preview(self, file: str, rows: int) -> Sequence[Mapping[str, str]]:
        """The first rows of such a file with all their columns, as text. Raises UserError."""
        return preview(place(file, field="builder.file"), rows)

    def sample(self, name: str, index: int = 0, search: str = "", side: str = "train") -> ShownSample | None:
        """The `index`-th sample (wrapping around) whose id, kind or code holds `search`; None where none does."""
        folder = Path(self.get(name).folder)
        table = _parquet(str(folder / f"{side}.parquet"))
        chosen = _matching(table, search)
        if not chosen:
            return None
        index %= len(chosen)
        row: dict[str, Any] = table.slice(chosen[index], 1).to_pylist()[0]
        ids, n_prompt = row["input_ids"], row["n_prompt"]
        tokenizer = _tokenizer(str(folder / "tokenizer" / "tokenizer.json"))
        texts = [tokenizer.decode([token], skip_special_tokens=False) for token in ids]
        pieces = tuple((text, place >= n_prompt) for place, text in enumerate(texts))
        shown = {key: row[key] for key in ("bug_id", "kind", "prompt", "target", "buggy", "fixed")}
        return ShownSample(index=index, total=len(chosen), pieces=pieces, **shown)


def _matching(table: Any, search: str) -> list[int]:
    if not search:
        return list(range(table.num_rows))
    import pyarrow.compute as pc

    found: Any = None
    for column in ("bug_id", "kind", "prompt", "target"):
        holds = pc.match_substring(table[column], search, ignore_case=True)
        found = holds if found is None else pc.or_(found, holds)
    return [place for place, hit in enumerate(found.to_pylist()) if hit]


@lru_cache(maxsize=4)
def _parquet(path: str) -> Any:
    import pyarrow.parquet as pq

    return pq.read_table(path, memory_map=True)


@lru_cache(maxsize=4)
def _tokenizer(path: str) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(path)
