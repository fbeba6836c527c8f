"""What a shard of a build finds out about its part of the items, and how a build of the whole reads it.

artifacts/prepared.bin    blocks: the length in eight bytes, then compressed JSON, what was made or lost, in order
artifacts/prepared.json   written when that file is complete: its hash, and what the shard was given and has read

Every shard reads all of its source; of what it reads, a block belongs to each shard in turn. All of them hash all that
they read: where that is the same, their blocks are one stream, and nothing has to be read again. JSON, since what is in
it is others' code: reading it runs nothing.
"""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from engine.builders import BuilderOutput, Funnel
from engine.run_inputs import Part
from engine.training_set import Row
from engine.whole_files import write_whole
from engine.work.duplicates import Keys
from engine.work.overlap import Hit, Overlap
from engine.work.tally import Marks

log = logging.getLogger(__name__)
FILE, SUMMARY = "prepared.bin", "prepared.json"
MOST, MOST_CHARACTERS = 64, 1 << 20  # in a block: few enough that all shards have as much to do, and for the memory
_LENGTH = 8  # bytes
_FUNNEL = ("source", "lost", "examples", "counts", "facts")
Entry = BuilderOutput | tuple[str, str]  # what was made, or why and where something was lost


@dataclass(frozen=True)
class Prepared:
    """An item (`engine.work.items`) of which all is known; `row` is None where it is left out by itself."""

    keys: Keys
    longest_name: int
    hits: Sequence[Hit] = ()
    problem: str = ""
    characters: int = 0
    row: Row | None = None
    marks: Marks = field(default_factory=Marks)

    def to_json(self, overlap: Overlap) -> dict[str, Any]:
        """`overlap`: where its hits are from."""
        name, *keys = asdict(self.keys).values()
        at = {id(known): number for number, known in enumerate(overlap.benchmarks)}  # one may be named twice
        hits = [(at[id(hit.known)], hit.number, hit.how, hit.share) for hit in self.hits]
        row = vars(self.row) if self.row else None
        values = {name: getattr(self, name) for name in ("longest_name", "problem", "characters")}
        return {**values, "keys": [name, *map(bytes.hex, keys)], "hits": hits, "row": row, "marks": vars(self.marks)}

    @classmethod
    def from_json(cls, values: dict[str, Any], overlap: Overlap) -> Prepared:
        name, *keys = values.pop("keys")
        hits = [Hit(overlap.benchmarks[at], number, how, share) for at, number, how, share in values.pop("hits")]
        row, marks = values.pop("row"), Marks(**values.pop("marks"))
        return cls(Keys(name, *map(bytes.fromhex, keys)), hits=hits, row=row and Row(**row), marks=marks, **values)


class Writer:
    """Writes one shard's blocks while everything is read. Memory grows with nothing but a block."""

    def __init__(self, folder: Path, part: Part, prepare: Callable[[list[Entry]], Sequence[object]]) -> None:
        """`prepare`: what to write of a block, of each entry a value of JSON, in order."""
        self.n_own = 0  # items of its own that are done
        self._n_read = 0
        self._folder, self._part, self._prepare = folder, part, prepare
        (folder / SUMMARY).unlink(missing_ok=True)
        self._file = (folder / FILE).open("wb")
        self._read = sha256()
        self._blocks = self._entries = self._characters = 0
        self._own: list[Entry] = []

    def lose(self, reason: str, where: str) -> None:
        """The builder has lost something."""
        self._add((reason, where))

    def make(self, made: BuilderOutput) -> None:
        """The builder has made something."""
        self._n_read += 1
        self._add(made)

    def close(self, about: Mapping[str, object], funnel: Funnel) -> None:
        """All is read. `about`: what the result depends on, besides what was read."""
        self._end_block()
        self._file.close()
        read = {"hash": self._read.hexdigest(), "items": self._n_read, "blocks": self._blocks}
        counted = {name: getattr(funnel, name) for name in _FUNNEL}
        own = {"part": vars(self._part), "file": _hash(self._folder / FILE)}
        write_whole(self._folder / SUMMARY, {**own, "about": about, "read": read, "funnel": counted})

    def _add(self, entry: Entry) -> None:
        text = repr(entry)
        self._read.update(f"{text}\0".encode())
        if self._blocks % self._part.count == self._part.number - 1:
            self._own.append(entry)
        self._entries += 1
        self._characters += len(text)
        if self._entries == MOST or self._characters > MOST_CHARACTERS:
            self._end_block()

    def _end_block(self) -> None:
        if self._own:
            content = zlib.compress(json.dumps(self._prepare(self._own)).encode(), 1)
            self._file.write(len(content).to_bytes(_LENGTH) + content)
            self.n_own += sum(not isinstance(entry, tuple) for entry in self._own)
            self._own = []
        self._blocks += self._entries > 0
        self._entries = self._characters = 0


class Together:
    """The blocks of all shards as one stream."""

    def __init__(self, folders: Sequence[Path], read: Mapping[str, Any], funnel: Mapping[str, Any]) -> None:
        self.n_items: int = read["items"]
        self._folders, self._blocks, self._funnel = folders, read["blocks"], funnel

    @classmethod
    def of(cls, folders: Sequence[Path], about: Mapping[str, object]) -> Together | None:
        """The folders are those of the shards, in order. None, and a sentence in the log, where they do not fit."""
        try:
            return cls(folders, *_fitting(folders, about))
        except _Unfit as why:
            log.warning("%s; all of the dataset is built here", why)
            return None

    def items(self, funnel: Funnel, overlap: Overlap) -> Iterator[Prepared]:
        """All items in the order in which they were read; what was lost is told and counted in `funnel`."""
        starts = [0] * len(self._folders)
        for number in range(self._blocks):
            shard = number % len(self._folders)
            entries, starts[shard] = _block(self._folders[shard] / FILE, starts[shard])
            for entry in entries:
                if isinstance(entry, dict):
                    yield Prepared.from_json(entry, overlap)
                elif funnel.told is not None:
                    funnel.told(*entry)
        for name in _FUNNEL:
            setattr(funnel, name, self._funnel[name])

    def remove(self) -> None:
        """The dataset is built, which has all of it that counts."""
        for folder in self._folders:
            (folder / FILE).unlink(missing_ok=True)


def rows_of(batch: Sequence[Prepared]) -> list[tuple[Row, Marks]]:
    """The rows of items without a problem, as `engine.work.rows.in_batches` asks for them."""
    return [(each.row, each.marks) for each in batch if each.row is not None]


def _block(path: Path, start: int) -> tuple[list[Any], int]:
    """Its entries, and where the next one starts."""
    with path.open("rb") as file:  # there may be more shards than files that may be open
        file.seek(start)
        length = int.from_bytes(file.read(_LENGTH))
        return json.loads(zlib.decompress(file.read(length))), start + _LENGTH + length


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


class _Unfit(Exception):
    """What a shard has left cannot be used."""


def _fitting(folders: Sequence[Path], about: Mapping[str, object]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What all shards have read and counted. Raises _Unfit."""
    first: dict[str, Any] = {}
    for number, folder in enumerate(folders, start=1):
        try:
            found = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
            part, file = found.pop("part"), found.pop("file")
            is_whole = file == _hash(folder / FILE)
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise _Unfit(f"shard {number} has left nothing that can be read ({error})") from None
        if not is_whole:
            raise _Unfit(f"the file of shard {number} is not as it was written")
        if part != vars(Part(number, len(folders))) or found.get("about") != about:
            raise _Unfit(f"shard {number} had another part, version, tokenizer or benchmarks")
        first = first or found
        if found != first:
            raise _Unfit(f"shard {number} did not read the same as shard 1: the source has changed meanwhile")
    return first["read"], first["funnel"]
