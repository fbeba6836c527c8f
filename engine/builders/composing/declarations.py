"""Preprocessors of files, and what is left of a file that stands far away: its declarations."""

from __future__ import annotations

from typing import Literal

from engine import params
from engine.builders.composing import Chunk, FilePreprocessor, Masker
from engine.builders.source_files import language_of
from engine.languages import language
from engine.languages.source import parse
from engine.params import setting

_TYPES = frozenset(
    {"class_definition", "class_declaration", "interface_declaration", "enum_declaration", "record_declaration"}
)


class EmptyLinesRemoval(FilePreprocessor):
    """Removes blank lines (S3, EmptyLinesRemovalPreprocessor)."""

    name = "empty_lines_removal"

    def changed(self, path: str, text: str) -> str:
        return "\n".join(line for line in text.split("\n") if line.strip())


class DeclarationOnly(FilePreprocessor):
    """Leaves of a file what its functions and classes begin with, `def f(a): ...` (S3, DeclarationOnlyPreprocessor).

    S3 knows Python alone; Java and C are treated in the same way, and files of other kinds stay as they are.
    """

    name = "declaration_only"

    def changed(self, path: str, text: str) -> str:
        return declarations(path, text)


class FarDeclarations(Masker):
    """Leaves the declarations of the farther half of the files, or of all but the nearest one.

    Long Code Arena, baselines `function_class_mask_half` and `function_class_mask_one`, which write `pass` as the body.
    """

    name = "far_declarations"

    class Params(params.Params):
        """How much stays whole."""

        whole: Literal["half", "one"] = setting("half", "what stays as it is: the nearer half, or the nearest one")

    def masked(self, chunk: Chunk, place: int, n_chunks: int) -> str:
        is_whole = place == 0 if self.params.whole == "one" else n_chunks - 1 - place >= n_chunks / 2
        return chunk.text if is_whole else declarations(chunk.path, chunk.text)


def declarations(path: str, text: str) -> str:
    """A line for each function and class of a file in a known language, with its indent, `...` as its body."""
    name = language_of(path)
    if not name:
        return text
    known, code = language(name), text.encode()
    found: list[str] = []
    waiting = [parse(code, name).root_node]
    while waiting:
        node = waiting.pop()
        waiting.extend(reversed(node.children))
        body = node.child_by_field_name("body")
        if body is None or node.type not in known.functions | _TYPES:
            continue
        colons = [child.end_byte for child in node.children if child.type == ":"]
        end = colons[-1] if colons and not known.brackets else body.start_byte
        start = code.rfind(b"\n", 0, node.start_byte) + 1
        if code[start : node.start_byte].strip():  # something stands before it in its line
            start = node.start_byte
        head = code[start:end].decode("utf-8", "replace").rstrip()
        found.append(f"{head} {{ ... }}" if known.brackets else f"{head} ...")
    return "\n".join(found)
