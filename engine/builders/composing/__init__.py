"""Small parts that compose the context of a completion file from the rest of its repository, and their registry.

A chain of parts goes through stages: files are filtered and changed, cut into chunks, ranked and sorted, the far ones
perhaps masked, harvested as text, whose lines are then thinned out. The stages and most parts are those of S3
(JetBrains-Research/lca-solvers), the others are the baselines of Long Code Arena (arXiv 2406.11612). A package adds a
part with an entry point in the group `repair_studio.context_parts`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from random import Random
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator

from engine import params
from engine.builders.composing.lengths import Lengths
from engine.languages.imports import modules_of
from engine.plugins import Registry


class Stage(IntEnum):
    """Where a part stands in a chain; parts of one stage follow one another."""

    FILE = 1  # filters and preprocessors, in any order
    CHUNK = 2  # one
    RANK = 3
    SORT = 4  # one, if anything is ranked
    MASK = 5
    HARVEST = 6  # one
    LINES = 7


Rank = float | str  # of one ranker always the same of both
ONE_OF = frozenset({Stage.CHUNK, Stage.SORT, Stage.HARVEST})


class File(ABC):
    """A file of a repository; only its path is held."""

    path: str  # inside the repository, with "/"

    @abstractmethod
    def text(self) -> str | None:
        """Its content, read anew each time; None where it cannot be read or is no text."""


@dataclass(frozen=True)
class Chunk:
    """A part of a file's text; `part` says what it holds, where it is not all."""

    path: str
    text: str
    part: str = ""  # "comments", "docstrings", "imports" or "code"


@dataclass(frozen=True)
class Target:
    """The completion file for which a context is composed."""

    repository: str
    path: str
    text: str
    lengths: Lengths
    seed: int = 0

    def random(self, *more: object) -> Random:
        """Random numbers that are the same for the same seed, target and `more`."""
        return Random(f"{self.seed}:{self.repository}:{self.path}:{more}")

    @cached_property
    def folders(self) -> list[str]:
        """Those of its path, from the outermost on."""
        return self.path.split("/")[:-1]

    @cached_property
    def imports(self) -> frozenset[str]:
        """The modules and classes that it imports."""
        return modules_of(self.path, self.text)


def _listed(value: Any) -> Any:
    return tuple(value.split("|")) if isinstance(value, str) else value


Endings = Annotated[tuple[str, ...], BeforeValidator(_listed)]  # of file names, as text ".md|.txt"


class Part(ABC):
    """One part of a chain. A part without settings has no `Params` of its own."""

    name: ClassVar[str]
    stage: ClassVar[Stage]
    Params: ClassVar[type[params.Params]] = params.Params

    def __init__(self, params: Any) -> None:
        self.params = params


class FileFilter(Part):
    """Decides by a file's path and text whether it is used."""

    stage = Stage.FILE

    @abstractmethod
    def keeps(self, path: str, text: str, target: Target) -> bool:
        """Whether the file is used."""


class FilePreprocessor(Part):
    """Changes the text of a file."""

    stage = Stage.FILE

    @abstractmethod
    def changed(self, path: str, text: str) -> str:
        """The text in place of the file's."""


class Chunker(Part):
    """Cuts a file into chunks."""

    stage = Stage.CHUNK

    @abstractmethod
    def chunks(self, path: str, text: str) -> Sequence[Chunk]:
        """The chunks of a file, in their order."""


class PathRanker(Part):
    """Gives each file a rank by its path: the higher, the nearer to the completion file it stands."""

    stage = Stage.RANK

    @abstractmethod
    def ranks(self, paths: Sequence[str], target: Target) -> Sequence[Rank]:
        """The rank of each of these files."""


class TextRanker(Part):
    """Gives a chunk a rank by its text, whatever the completion file: it is asked once for each chunk."""

    stage = Stage.RANK

    @abstractmethod
    def rank(self, chunk: Chunk) -> Rank:
        """The chunk's rank."""


class Sorter(Part):
    """Orders chunks by their ranks."""

    stage = Stage.SORT

    @abstractmethod
    def nearest_first(self, ranks: Sequence[tuple[Any, ...]]) -> Iterator[int]:
        """The places of all chunks in `ranks`, the one to stand next to the completion file first."""


class Masker(Part):
    """Changes the text of a chunk by how far it stands from the completion file."""

    stage = Stage.MASK

    @abstractmethod
    def masked(self, chunk: Chunk, place: int, n_chunks: int) -> str:
        """The text of the chunk at `place` of `n_chunks`, from 0, the nearest first."""


class Harvester(Part):
    """Writes a chunk as text; `separator` stands between two and ends with a line break."""

    stage = Stage.HARVEST
    separator: str

    @abstractmethod
    def written(self, chunk: Chunk) -> str:
        """What of a chunk stands in the context."""


class Postprocessor(Part):
    """Thins out or changes the lines of the context."""

    stage = Stage.LINES

    @abstractmethod
    def begin(self, target: Target) -> Callable[[Sequence[str]], list[str]]:
        """What is called with the lines, without ends, of one chunk after the other, the nearest first."""


PARTS: Registry[Part] = Registry(
    "context_parts",
    "builder.parts",
    {
        "null_file": "engine.builders.composing.filters:NullFile",
        "inclusive_file_extension": "engine.builders.composing.filters:InclusiveFileExtension",
        "exclusive_file_extension": "engine.builders.composing.filters:ExclusiveFileExtension",
        "empty_file": "engine.builders.composing.filters:EmptyFile",
        "file_length": "engine.builders.composing.filters:FileLength",
        "tokenized_file_length": "engine.builders.composing.filters:TokenizedFileLength",
        "char_token_ratio": "engine.builders.composing.filters:CharTokenRatio",
        "empty_lines_removal": "engine.builders.composing.declarations:EmptyLinesRemoval",
        "declaration_only": "engine.builders.composing.declarations:DeclarationOnly",
        "file_grained": "engine.builders.composing.chunkers:FileGrained",
        "code_segment_grained": "engine.builders.composing.chunkers:CodeSegmentGrained",
        "code_only": "engine.builders.composing.chunkers:CodeOnly",
        "negative_path_distance": "engine.builders.composing.rankers:NegativePathDistance",
        "function_call": "engine.builders.composing.rankers:FunctionCall",
        "file_extension": "engine.builders.composing.rankers:FileExtension",
        "random": "engine.builders.composing.rankers:ByChance",
        "alphabetical": "engine.builders.composing.rankers:Alphabetical",
        "shortest": "engine.builders.composing.rankers:Shortest",
        "imported": "engine.builders.composing.rankers:Imported",
        "lexicographic": "engine.builders.composing.sorters:Lexicographic",
        "mixed": "engine.builders.composing.sorters:Mixed",
        "far_declarations": "engine.builders.composing.declarations:FarDeclarations",
        "joining": "engine.builders.composing.harvesters:Joining",
        "path_comment": "engine.builders.composing.harvesters:PathComment",
        "partial_memory": "engine.builders.composing.lines:PartialMemory",
        "inverse_frequency_memory": "engine.builders.composing.lines:InverseFrequencyMemory",
        "line_length": "engine.builders.composing.lines:LineLength",
        "line_strip": "engine.builders.composing.lines:LineStrip",
    },
)
