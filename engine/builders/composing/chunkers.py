"""Chunkers: whole files, or the kinds of text in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from engine.builders.composing import Chunk, Chunker
from engine.builders.source_files import language_of
from engine.languages.source import parse

if TYPE_CHECKING:
    from tree_sitter import Node

CODE = "code"
_TRIPLE = (b'"""', b"'''")


class FileGrained(Chunker):
    """Whole files (S3, FileGrainedChunker)."""

    name = "file_grained"

    def chunks(self, path: str, text: str) -> Sequence[Chunk]:
        return [Chunk(path, text)]


class CodeSegmentGrained(Chunker):
    """A file's comments, its docstrings, its imports and its code, each as one chunk (S3, CodeSegmentGrainedChunker).

    Every text in triple quotes counts as a docstring. A file of no known language is one chunk.
    """

    name = "code_segment_grained"

    def chunks(self, path: str, text: str) -> Sequence[Chunk]:
        language = language_of(path)
        if not language:
            return [Chunk(path, text)]
        code = text.encode()
        found: dict[str, list[bytes]] = {"comments": [], "docstrings": [], "imports": [], CODE: []}
        starts = [*_segments(parse(code, language).root_node), (len(code), "")]
        for (start, kind), (end, _) in pairwise(starts):
            found[kind].append(code[start:end])
        return [Chunk(path, whole, kind) for kind, parts in found.items() if (whole := _joined(kind, parts))]


class CodeOnly(CodeSegmentGrained):
    """A file's code without its comments, docstrings and imports (S3, CodeOnlyChunker).

    Files of no known language have none.
    """

    name = "code_only"

    def chunks(self, path: str, text: str) -> Sequence[Chunk]:
        return [chunk for chunk in super().chunks(path, text) if chunk.part == CODE]


def _segments(root: Node) -> Iterator[tuple[int, str]]:
    """The first byte and the kind of each run of one kind; what stands between two belongs to the first one."""
    waiting, last = [root], ""
    while waiting:
        node = waiting.pop()
        kind = _kind(node)
        if not kind:
            waiting.extend(reversed(node.children))
        elif kind != last:
            last = kind
            yield node.start_byte, kind


def _kind(node: Node) -> str:
    """Empty where only its children have one."""
    if "comment" in node.type:
        return "comments"
    if node.type == "string" and (node.text or b"").startswith(_TRIPLE):
        return "docstrings"
    if "import" in node.type or node.type == "preproc_include":
        return "imports"
    return CODE if not node.child_count else ""


def _joined(kind: str, parts: Sequence[bytes]) -> str:
    text = b"".join(parts).decode("utf-8", "replace")
    if kind in ("comments", "docstrings"):
        return "\n".join(line.strip() for line in text.splitlines()).strip()
    return "\n".join(line.rstrip() for line in text.rstrip().split("\n"))
