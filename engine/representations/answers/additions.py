"""What an answer has beside the function and the function needs: imports, and functions that the file does not have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from engine.domain import lines_of
from engine.languages.source import Source, indent_of, source
from engine.representations.answers.functions import Written, written_in
from engine.representations.answers.place import Place
from engine.representations.line_ends import as_in_file

if TYPE_CHECKING:
    from tree_sitter import Node

_IMPORTS = frozenset(
    ["import_statement", "import_from_statement", "future_import_statement", "import_declaration", "preproc_include"]
)
_WORD = re.compile(r"\w+")


def imports_of(read: Source) -> Iterator[tuple[int, str]]:
    """The row behind each import outside of functions and classes, from 0, and its text in one line."""
    for node in read.root.named_children:
        if node.type in _IMPORTS:
            text = " ".join((node.text or b"").decode("utf-8", "replace").split())
            yield node.end_point.row + (node.end_point.column > 0), text


def with_imports(patched: str, place: Place, answer: Source, code: str) -> str:
    """The patched file with the imports of the answer that its code needs and the file lacks.

    A part of a file that is no whole one gets none.
    """
    file = source(place.bug.buggy, place.bug.language)
    if not _is_file(place, file):
        return patched
    known = list(imports_of(file))
    words = set(_WORD.findall(code))
    has = {text for _, text in known}
    bound = {name for text in has for name in _names(text)}
    wanted = [
        text
        for text in dict.fromkeys(text for _, text in imports_of(answer))
        if text not in has and "__future__" not in text and _is_needed(text, words, bound)
    ]
    if not wanted:
        return patched
    row = _row_for_imports(file.root, [row for row, _ in known if row < place.bug.span.start])
    lines = lines_of(patched)
    added = as_in_file("".join(f"{text}\n" for text in wanted), place.bug)
    return "".join([*lines[:row], added, *lines[row:]])


def _is_file(place: Place, file: Source) -> bool:
    """Whether the text begins where a file does, and not inside a class or a function, as an excerpt may."""
    if place.bug.is_function or place.function is None:
        return False
    if place.bug.language == "java":
        return bool(place.function.within)
    return not indent_of(file.lines) and not (file.has_error and place.bug.language == "c")


def _names(text: str) -> list[str]:
    """What an import makes known by name; `*` where that cannot be told."""
    if text.startswith("#include"):
        return []
    last = re.sub(r"^from .*? import|^import( static)?", "", text).strip(" ;()")
    if text.endswith(";"):
        return [last.rpartition(".")[2]]
    return [each.rpartition(" as ")[2].strip().partition(".")[0] for each in last.split(",") if each.strip()]


def _is_needed(text: str, words: set[str], bound: set[str]) -> bool:
    if text.startswith("#include"):
        return "<" in text
    return any(name == "*" or (name in words and name not in bound) for name in _names(text))


def _row_for_imports(root: Node, rows: Sequence[int]) -> int:
    """Behind the last of the imports above, or else where the code of the file begins."""
    if rows:
        return max(rows)
    for number, node in enumerate(root.named_children):
        is_docstring = not number and node.type == "expression_statement" and node.named_children[:1] != []
        is_text = is_docstring and node.named_children[0].type == "string"
        if not (node.type.endswith("comment") or node.type == "package_declaration" or is_text):
            return node.start_point.row
    return 0


def with_helpers(code: str, place: Place, answer: Source, chosen: Written) -> str:
    """The code of the function, and below it the functions of the answer that it calls and the file does not have."""
    if place.bug.is_function or not place.stands_alone:
        return code
    known = {each.name for each in written_in(source(place.bug.buggy, place.bug.language))}
    others = {
        each.name: each
        for each in written_in(answer)
        if each.name not in known and each.name and each is not chosen and each.within == chosen.within
    }
    words, needed = set(_WORD.findall(code)), []
    while found := [name for name in others if name in words]:
        needed += [others[name] for name in found]
        words = {word for name in found for word in _WORD.findall("".join(rows_of(answer, others.pop(name))))}
    if not needed:
        return code
    indent = indent_of(place.lines)
    space = "\n\n" if place.bug.language == "python" and not indent else "\n"
    return (
        code.removesuffix("\n")
        + "\n"
        + "".join(space + moved(answer, each, indent) for each in sorted(needed, key=lambda each: each.start))
    )


def rows_of(answer: Source, written: Written) -> list[str]:
    """The lines of a function."""
    return answer.lines[written.span.start - 1 : written.span.end]


def moved(answer: Source, written: Written, indent: str) -> str:
    """The lines of a function with another indent, ended."""
    lines = lines_of(answer.moved(indent_of(rows_of(answer, written)), indent))
    text = "".join(lines[written.span.start - 1 : written.span.end])
    return text if text.endswith("\n") else f"{text}\n"
