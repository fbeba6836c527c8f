"""A chain of parts: read from text, its order checked, and the context that it composes, the nearest chunk first.

Where no ranker reads texts, files are read one after the other as the context grows, so time and memory depend on the
length of the context and not on the number of files, of which only the paths are ranked. Rankers of texts are asked
once for each file of a repository; only their ranks are held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping, Sequence
from itertools import pairwise
from typing import Any

from engine.builders.composing import (
    ONE_OF,
    PARTS,
    Chunk,
    Chunker,
    File,
    FileFilter,
    FilePreprocessor,
    Harvester,
    Masker,
    Part,
    PathRanker,
    Postprocessor,
    Sorter,
    Stage,
    Target,
    TextRanker,
)
from engine.errors import UserError

FIELD = "builder.parts"
Ranks = MutableMapping[str, list[tuple[Any, ...]]]  # path -> of each chunk, its ranks by rankers of texts
_ORDER = "filters and preprocessors, a chunker, rankers and a sorter, maskers, a harvester, postprocessors"


def part_of(text: str) -> Part:
    """A part written as its name and settings, `file_length min=0 max=20000`. Raises UserError if there is none."""
    name, *settings = text.split()
    values = {}
    for each in settings:
        key, is_set, value = each.partition("=")
        if not is_set:
            raise UserError(f"parts: {each!r} in {text!r} should be a setting with a value, as in max=100", field=FIELD)
        values[key] = value
    try:
        return PARTS.from_value({**values, "name": name})
    except UserError as error:
        raise UserError(f"parts: {text!r}: {error}", field=FIELD) from None


class Chain:
    """Composes contexts."""

    def __init__(self, texts: Sequence[str]) -> None:
        """`texts`: its parts as `part_of` takes them. Raises UserError where one is wrong, or at a wrong place."""
        parts = [part_of(text) for text in texts if text.strip()]
        _check(parts)
        self._files = [part for part in parts if isinstance(part, FileFilter | FilePreprocessor)]
        self._chunker = next(part for part in parts if isinstance(part, Chunker))
        self._rankers = [part for part in parts if isinstance(part, PathRanker | TextRanker)]
        self._sorter = next((part for part in parts if isinstance(part, Sorter)), None)
        self._maskers = [part for part in parts if isinstance(part, Masker)]
        self._harvester = next(part for part in parts if isinstance(part, Harvester))
        self._lines = [part for part in parts if isinstance(part, Postprocessor)]
        self.is_empty = any(part.name == "null_file" for part in parts)

    def nearest_first(self, files: Sequence[File], target: Target, ranks: Ranks) -> Iterator[str]:
        """The parts of the context, the one next to the completion file first; joined in reverse they are all of it.

        `ranks`: empty at a repository's first target, and the same for all of them.
        """
        changes = [each.begin(target) for each in self._lines]
        is_nearest = True
        for chunk, place, n_chunks in self._ordered(files, target, ranks):
            for masker in self._maskers:
                chunk = Chunk(chunk.path, masker.masked(chunk, place, n_chunks), chunk.part)
            written = self._harvester.written(chunk)
            if not is_nearest:
                written += self._harvester.separator[:-1]  # its last line break ends the line below
            lines = _changed(written.split("\n"), changes)
            if lines:
                yield "\n".join(lines) + ("" if is_nearest else "\n")
                is_nearest = False

    def _ordered(self, files: Sequence[File], target: Target, ranks: Ranks) -> Iterator[tuple[Chunk, int, int]]:
        """Chunks, the nearest first, each with its place and how many there are, as far as is known before reading."""
        if self.is_empty:
            return
        others = [file for file in files if file.path != target.path]
        places: list[tuple[File, int | None]]  # a file, and which of its chunks; None: all of them
        if reads := [ranker for ranker in self._rankers if isinstance(ranker, TextRanker)]:
            for file in others:
                if file.path not in ranks:
                    chunks = self._chunks(file, target)
                    ranks[file.path] = [tuple(ranker.rank(chunk) for ranker in reads) for chunk in chunks]
            places = [(file, number) for file in others for number in range(len(ranks[file.path]))]
        else:
            places = [(file, None) for file in others]
        order = self._order(places, target, ranks)
        for place, at in enumerate(order):
            file, one = places[at]
            chunks = self._chunks(file, target)
            wanted = reversed(chunks) if one is None else chunks[one : one + 1]
            yield from ((chunk, place, len(places)) for chunk in wanted)

    def _order(self, places: Sequence[tuple[File, int | None]], target: Target, ranks: Ranks) -> Iterator[int]:
        """Of the places, the nearest first."""
        if self._sorter is None:
            return reversed(range(len(places)))
        paths = [file.path for file, _ in places]
        texts = zip(*(ranks[file.path][number] for file, number in places if number is not None), strict=True)
        columns = [
            next(texts, ()) if isinstance(ranker, TextRanker) else ranker.ranks(paths, target)
            for ranker in self._rankers
        ]
        return self._sorter.nearest_first([*zip(*columns, strict=True)])

    def _chunks(self, file: File, target: Target) -> Sequence[Chunk]:
        """Those of a file that the filters keep."""
        text = file.text()
        for each in self._files if text is not None else ():
            assert text is not None
            if isinstance(each, FilePreprocessor):
                text = each.changed(file.path, text)
            elif not each.keeps(file.path, text, target):
                return ()
        return self._chunker.chunks(file.path, text) if text is not None else ()


def _changed(lines: list[str], changes: Sequence[Callable[[Sequence[str]], list[str]]]) -> list[str]:
    for change in changes:
        lines = change(lines)
    return lines


def _check(parts: Sequence[Part]) -> None:
    """Raises UserError where parts cannot follow one another, or one is missing."""
    for before, after in pairwise(parts):
        if after.stage < before.stage or (after.stage == before.stage and after.stage in ONE_OF):
            raise UserError(f"parts: {after.name!r} cannot follow {before.name!r}; the order is {_ORDER}", field=FIELD)
    stages = {part.stage for part in parts}
    for stage, what in ((Stage.CHUNK, "chunker, as file_grained"), (Stage.HARVEST, "harvester, as path_comment")):
        if stage not in stages:
            raise UserError(f"parts: there is no {what}; the order is {_ORDER}", field=FIELD)
    if (Stage.RANK in stages) != (Stage.SORT in stages):
        raise UserError("parts: rankers need a sorter behind them, as lexicographic, and a sorter rankers", field=FIELD)
