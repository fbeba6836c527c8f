"""Rankers: how near a chunk should stand to the completion file; the higher, the nearer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from engine import params
from engine.builders.composing import Chunk, PathRanker, Target, TextRanker
from engine.builders.source_files import language_of
from engine.languages.imports import is_imported
from engine.languages.source import parse
from engine.params import setting

_CALLS = frozenset({"call", "call_expression", "method_invocation", "object_creation_expression"})  # types of nodes


class NegativePathDistance(PathRanker):
    """Minus the folders up and down from the completion file (S3, NegativePathDistanceRanker)."""

    name = "negative_path_distance"

    def ranks(self, paths: Sequence[str], target: Target) -> Sequence[float]:
        folders = [path.rpartition("/")[0] for path in paths]
        known = {folder: self._rank(folder.split("/") if folder else [], target.folders) for folder in set(folders)}
        return [known[folder] for folder in folders]

    def _rank(self, one: list[str], other: list[str]) -> float:
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
        return float(2 * same - len(one) - len(other))


class FunctionCall(TextRanker):
    """The calls in a chunk of code, or those a character (S3, FunctionCallRanker; there of Python alone)."""

    name = "function_call"

    class Params(params.Params):
        """What is counted."""

        relative: bool = setting(False, "calls a character instead of all calls")

    def rank(self, chunk: Chunk) -> float:
        language = language_of(chunk.path)
        if not language or not chunk.text:
            return 0.0
        n_calls, waiting = 0, [parse(chunk.text.encode(), language).root_node]
        while waiting:
            node = waiting.pop()
            n_calls += node.type in _CALLS
            waiting.extend(node.children)
        return n_calls / len(chunk.text) if self.params.relative else float(n_calls)


class FileExtension(PathRanker):
    """The place of the group that a file's ending is in; -1 for those in none (S3, FileExtensionRanker)."""

    name = "file_extension"

    class Params(params.Params):
        """The groups; those of S3's `text_files`."""

        groups: str = setting(".json;.yaml|.yml;.sh;.md|.txt|.rst", "groups of endings, the nearest last")

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        groups = enumerate(params.groups.split(";"))
        self._places = {ending: place for place, group in groups for ending in group.split("|")}

    def ranks(self, paths: Sequence[str], target: Target) -> Sequence[float]:
        return [float(self._places.get("." + path.rpartition(".")[2], -1)) for path in paths]


class ByChance(PathRanker):
    """A random number, the same for the same seed and completion file (S3, RandomRanker)."""

    name = "random"

    class Params(params.Params):
        """The seed."""

        seed: int = setting(1337, "of the numbers")

    def ranks(self, paths: Sequence[str], target: Target) -> Sequence[float]:
        random = target.random("rank", self.params.seed)
        return [random.random() for _ in paths]


class Alphabetical(PathRanker):
    """The path itself: the last of the alphabet is nearest (Long Code Arena, baseline `alphabetical`)."""

    name = "alphabetical"

    def ranks(self, paths: Sequence[str], target: Target) -> Sequence[str]:
        return paths


class Shortest(TextRanker):
    """Minus the length: the longest file is farthest (Long Code Arena, baseline `file_length`, longest first)."""

    name = "shortest"

    def rank(self, chunk: Chunk) -> float:
        return -float(len(chunk.text))


class Imported(PathRanker):
    """1 for a file that the completion file imports, else 0 (Long Code Arena, baseline `imports_first`)."""

    name = "imported"

    def ranks(self, paths: Sequence[str], target: Target) -> Sequence[float]:
        package = target.repository.rpartition("/")[2]  # the folder may be a package itself
        return [float(is_imported(f"{package}/{path}", target.imports)) for path in paths]
