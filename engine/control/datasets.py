"""Datasets: the list of them, what was left out when they were built, and any sample as training will see it."""

from __future__ import annotations

import shutil
import time
from array import array
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Event, Lock
from typing import Any

from engine.builders import Previewed
from engine.builders.previews import Preview, preview
from engine.control import dataset_exports, dataset_uses
from engine.control.exports import DOWNLOADS
from engine.control.views import DatasetView, RunView
from engine.dataset_card import card
from engine.dataset_spec import OVERLAP_SHARE, DatasetSpec
from engine.errors import UserError
from engine.exchange.sides import Exportable
from engine.listed import LEFT_OUT, MISSING, OVERLAP, Listed, listed
from engine.params import place
from engine.plugins import BENCHMARKS, BUILDERS
from engine.results import dataset_report
from engine.specs import parse
from engine.stored import Stored
from storage import queries
from storage.database import Database
from storage.tables import Dataset

SEARCHED = ("bug_id", "kind", "prompt", "target")  # columns
LOOK_S = 0.5  # how long a search continues after the wanted row, to count its results
SEARCHES = 8  # most searches to keep
MOST_NAMED = 12  # datasets that a sentence names, the newest


@dataclass(frozen=True)
class ShownSample:
    """One sample as training will see it; `pieces` are (token as text, whether it is in the loss)."""

    index: int  # from 0, among the samples that match the search
    total: int  # matching samples counted so far
    is_whole: bool  # whether all are counted
    bug_id: str
    kind: str
    prompt: str
    target: str
    buggy: str
    fixed: str
    pieces: tuple[tuple[str, bool], ...]
    language: str = ""  # empty in datasets of the first versions
    rejected: str = ""  # of a preference: the worse answer; `target` is the better one
    is_wrong: bool = False  # of single answers: `target` is one not to write

    @property
    def n_tokens(self) -> int:
        return len(self.pieces)


class Datasets:
    """The datasets of a workspace."""

    def __init__(self, home: Path, database: Database) -> None:
        self._home, self._database = home, database
        self._exports = home / "exports"
        self._searches: OrderedDict[tuple[Hashable, ...], Search] = OrderedDict()
        self._searching = Lock()

    def list(self) -> Sequence[DatasetView]:
        """Newest first."""
        with self._database.read() as session:
            return [DatasetView.of(row) for row in queries.datasets(session)]

    def names(self) -> Sequence[str]:
        return [each.name for each in self.list()]

    def get(self, name: str) -> DatasetView:
        """The dataset of this name. Raises UserError, which lists the known names."""
        return DatasetView.of(self._row(name))

    def _row(self, name: str) -> Dataset:
        with self._database.read() as session:
            row = queries.dataset_named(session, name)
        if row is None:
            raise UserError(f"dataset: there is no dataset {name!r}; known: {self._known()}", field="dataset")
        return row

    def _known(self) -> str:
        names = self.names()
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        return ", ".join(names[:MOST_NAMED]) + more if names else "none yet; build one first"

    def resolve(self, reference: str) -> tuple[str, str]:
        """(absolute folder, content hash) of a dataset by name or by folder. Raises UserError."""
        if not reference:
            raise UserError(f"dataset: choose a dataset; known: {self._known()}", field="dataset")
        folder = place(reference, field="dataset")
        if (folder / "train.parquet").exists():
            return str(folder.resolve()), ""
        row = self._row(reference)
        if not (Path(row.folder) / "train.parquet").exists():
            raise UserError(
                f"dataset: the files of {reference!r} are no longer in {row.folder}; build it again or choose another "
                "dataset",
                field="dataset",
            )
        return row.folder, row.hash

    def left_out(self, name: str, reason: str = "", search: str = "", start: int = 0, count: int = 50) -> Listed:
        """Rows that were left out for this reason (all reasons if it is empty) and contain `search`; hostile text."""
        return listed(Path(self._row(name).folder) / LEFT_OUT, reason, search, start, count)

    def overlap(self, name: str, benchmark: str = "", search: str = "", start: int = 0, count: int = 50) -> Listed:
        """Samples with code of a benchmark, `like` its bug, `how`, and the `share` of it that they have."""
        return listed(Path(self._row(name).folder) / OVERLAP, benchmark, search, start, count)

    def missing(self, name: str, reason: str = "", search: str = "", start: int = 0, count: int = 50) -> Listed:
        """Expected ids that are not in the dataset."""
        return listed(Path(self._row(name).folder) / MISSING, reason, search, start, count)

    def without_overlap(self, name: str) -> DatasetSpec:
        """The settings of this dataset with the benchmarks excluded whose code it has, also in part.

        Raises UserError if it overlaps with none.
        """
        found = [each.benchmark for each in self.get(name).overlap if each.rows]
        if not found:
            raise UserError(f"dataset: {name!r} has no code of a benchmark", field="dataset")
        spec = parse(dict(self._spec(name)))
        named = {BENCHMARKS.params(each).name: each for each in (*spec.compare, *spec.exclude)}
        exclude = tuple(dict.fromkeys([*(BENCHMARKS.params(each).name for each in spec.exclude), *found]))
        share = min(spec.exclude_share or OVERLAP_SHARE, OVERLAP_SHARE)
        left = {"exclude": tuple(named.get(each, each) for each in exclude), "exclude_share": share}
        changed: DatasetSpec = spec.model_copy(update=left)
        return changed

    def _spec(self, name: str) -> Mapping[str, Any]:
        """The settings of the run that built the dataset; empty if that is not known."""
        with self._database.read() as session:
            run = queries.run(session, self._row(name).run_id)
            return run.spec if run else {}

    def export(self, name: str, form: str) -> Path:
        """Write the dataset into the home folder; returns the path of the file or folder. Raises UserError."""
        return dataset_exports.export(self._exportable(name, None), self._exports, form)

    def download(self, name: str, form: str, given_up: Event) -> Path:
        """As `export`, to a new file that its reader removes. Raises `exports.GivenUp` soon after `given_up` is set."""
        exportable = self._exportable(name, given_up)
        return dataset_exports.export(exportable, self._exports / DOWNLOADS, form, given_up)

    def _exportable(self, name: str, given_up: Event | None) -> Exportable:
        row = self._row(name)
        report = dataset_report(row.report, row.train_rows, row.valid_rows)
        text = card(row.name, self._spec(name), report)
        return Exportable(row.name, Path(row.folder), text, row.report, dataset_exports.stops(given_up))

    def of_run(self, run_id: int) -> str:
        """The name of the dataset that a run built. Raises UserError if there is none."""
        with self._database.read() as session:
            row = queries.dataset_of(session, run_id)
        if row is None:
            raise UserError(f"run {run_id} has built no dataset that is still there")
        return row.name

    def used_by(self, name: str) -> Sequence[RunView]:
        """The runs that read this dataset, newest first."""
        with self._database.read() as session:
            return [RunView.of(run) for run in dataset_uses.runs_with(session, self._row(name))]

    def delete(self, name: str) -> None:
        """Remove the dataset and its files; runs that used it keep their results. Raises UserError while one runs."""
        row = self._row(name)
        with self._database.write() as session:
            folder = dataset_uses.forget(session, row, self._home)
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def preview(self, file: str, rows: int, builder: Mapping[str, Any] | None = None) -> Preview | None:
        """The first rows of a file as text, and what a builder with these settings makes of them, if it tells.

        None where there is nothing to show. Raises UserError, about the file if no builder is given.
        """
        if builder is None:
            return preview(place(file, field="builder.file"), rows)
        try:
            made = BUILDERS.from_value(dict(builder))
        except UserError:
            return None  # the form says what is wrong
        if isinstance(made, Previewed):
            return made.preview(rows)
        with suppress(UserError):  # it may read another kind of file
            return preview(Path(file), rows) if file else None
        return None

    def fits(self, builder: Mapping[str, Any]) -> bool | None:
        """Whether what a builder's settings name looks like the kind that it reads; None where it does not tell."""
        made = BUILDERS.from_value(dict(builder))
        try:
            return made.fits() if isinstance(made, Previewed) else None
        except (UserError, OSError):
            return False

    def sample(self, name: str, index: int = 0, search: str = "", side: str = "train") -> ShownSample | None:
        """The `index`-th sample (wrapping around) whose id, kind or code contains `search`; None if none does."""
        folder = Path(self._row(name).folder)
        file = folder / f"{side}.parquet"
        rows = _stored(str(file), _identity(file))
        found: Search | None = None
        if search:
            found = self._search(str(file), _identity(file), search)
            found.look(rows, index)
        total = len(found.rows) if found else len(rows)
        if not total:
            return None
        index %= total
        shown = (*SEARCHED, "buggy", "fixed", "language", "rejected", "is_wrong", "input_ids", "n_prompt", "learned")
        row = rows.row(found.rows[index] if found else index, shown)
        ids, n_prompt = row.pop("input_ids"), row.pop("n_prompt")
        rejected = row.pop("rejected", "")
        row["rejected"] = rejected if isinstance(rejected, str) else ""
        row["is_wrong"] = row.get("is_wrong") is True
        words = folder / "tokenizer" / "tokenizer.json"
        try:
            tokenizer = _tokenizer(str(words), _identity(words))
            texts = [tokenizer.decode([token], skip_special_tokens=False) for token in ids]
        except Exception as error:  # the class itself is all that the library raises
            raise UserError(f"{folder / 'tokenizer'} cannot read the tokens of this sample: {error}") from None
        learned = row.pop("learned", None) or [n_prompt, len(ids)]
        if len(learned) % 2:
            raise UserError(f"{folder / side}.parquet is damaged: {len(learned)} ends of ranges of learned tokens")
        ranges = list(zip(learned[::2], learned[1::2], strict=True))
        pieces = tuple((text, any(low <= at < high for low, high in ranges)) for at, text in enumerate(texts))
        return ShownSample(index=index, total=total, is_whole=not found or found.is_over(rows), pieces=pieces, **row)

    def _search(self, *asked: Hashable) -> Search:
        """An earlier search for the same text, to be continued, or a new one."""
        with self._searching:
            found = self._searches.setdefault(asked, Search(str(asked[-1])))
            self._searches.move_to_end(asked)
            while len(self._searches) > SEARCHES:
                self._searches.popitem(last=False)
            return found


class Search:
    """The rows of a file that contain a text, found so far; `look` continues where it stopped."""

    def __init__(self, text: str) -> None:
        self.rows = array("q")
        self._text = text
        self._groups = 0  # searched so far
        self._looking = Lock()

    def look(self, stored: Stored, index: int) -> None:
        """Search until the `index`-th row is found, then for up to LOOK_S seconds more towards the end of the file."""
        until = time.monotonic() + LOOK_S
        with self._looking:
            while not self.is_over(stored) and (len(self.rows) <= max(index, 0) or time.monotonic() < until):
                self.rows.extend(stored.matches(self._groups, self._text, SEARCHED))
                self._groups += 1

    def is_over(self, stored: Stored) -> bool:
        """Whether every row was searched."""
        return self._groups + 1 >= len(stored.starts)


def _identity(file: Path) -> Hashable:
    """Another value if another file has taken the place of this one: a dataset's folder can be built again."""
    found = file.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


@lru_cache(maxsize=4)
def _stored(path: str, _: Hashable) -> Stored:
    return Stored(Path(path))


@lru_cache(maxsize=4)
def _tokenizer(path: str, _: Hashable) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(path)
