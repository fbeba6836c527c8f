"""Rankers: how near a chunk should stand to the completion file; the higher, the nearer."""

from __future__ import annotations

from itertools import takewhile
from typing import Any, ClassVar

from engine import params
from engine.builders.composing import Chunk, Ranker, Target
from engine.builders.source_files import language_of
from engine.languages.imports import is_imported
from engine.languages.source import parse
from engine.params import setting

_CALLS = frozenset({"call", "call_expression", "method_invocation", "object_creation_expression"})  # types of nodes


class NegativePathDistance(Ranker):
    """Minus the folders up and down from the completion file (S3, NegativePathDistanceRanker)."""

    name = "negative_path_distance"

    def rank(self, chunk: Chunk, target: Target) -> float:
        one, other = chunk.path.split("/")[:-1], target.folders
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
        return float(2 * same - len(one) - len(other))


class FunctionCall(Ranker):
    """The calls in a chunk of code, or those a character (S3, FunctionCallRanker; there of Python alone)."""

    name = "function_call"
    reads: ClassVar[bool] = True

    class Params(params.Params):
        """What is counted."""

        relative: bool = setting(False, "calls a character instead of all calls")

    def rank(self, chunk: Chunk, target: Target) -> float:
        language = language_of(chunk.path)
        if not language or not chunk.text:
            return 0.0
        n_calls, waiting = 0, [parse(chunk.text.encode(), language).root_node]
        while waiting:
            node = waiting.pop()
            n_calls += node.type in _CALLS
            waiting.extend(node.children)
        return n_calls / len(chunk.text) if self.params.relative else float(n_calls)


class FileExtension(Ranker):
    """The place of the group that a file's ending is in; -1 for those in none (S3, FileExtensionRanker)."""

    name = "file_extension"

    class Params(params.Params):
        """The groups; those of S3's `text_files`."""

        groups: str = setting(".json;.yaml|.yml;.sh;.md|.txt|.rst", "groups of endings, the nearest last")

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        groups = enumerate(params.groups.split(";"))
        self._places = {ending: place for place, group in groups for ending in group.split("|")}

    def rank(self, chunk: Chunk, target: Target) -> float:
        return float(self._places.get("." + chunk.path.rpartition(".")[2], -1))


class ByChance(Ranker):
    """A random number, the same for the same seed, completion file and path (S3, RandomRanker)."""

    name = "random"

    class Params(params.Params):
        """The seed."""

        seed: int = setting(1337, "of the numbers")

    def rank(self, chunk: Chunk, target: Target) -> float:
        return target.random("rank", self.params.seed, chunk.path, chunk.part).random()


class Alphabetical(Ranker):
    """The path itself: the last of the alphabet is nearest (Long Code Arena, baseline `alphabetical`)."""

    name = "alphabetical"

    def rank(self, chunk: Chunk, target: Target) -> str:
        return chunk.path


class Shortest(Ranker):
    """Minus the length: the longest file is farthest (Long Code Arena, baseline `file_length`, longest first)."""

    name = "shortest"
    reads: ClassVar[bool] = True

    def rank(self, chunk: Chunk, target: Target) -> float:
        return -float(len(chunk.text))


class Imported(Ranker):
    """1 for a file that the completion file imports, else 0 (Long Code Arena, baseline `imports_first`)."""

    name = "imported"

    def rank(self, chunk: Chunk, target: Target) -> float:
        return float(is_imported(chunk.path, target.imports))
