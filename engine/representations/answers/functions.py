"""The functions in a piece of code with what tells them apart: name, class, types of parameters, what is above."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from engine.domain import Span
from engine.languages.source import Source

if TYPE_CHECKING:
    from tree_sitter import Node

_CLASSES = frozenset(
    ["class_definition", "class_declaration", "interface_declaration", "enum_declaration", "record_declaration"]
)


@dataclass(frozen=True)
class Written:
    """One function that is not inside another one. Rows are a span's, `start` and `end` are bytes of the text."""

    name: str
    within: tuple[str, ...]  # names of the classes around it
    types: tuple[str, ...]  # of its parameters in Java; elsewhere as many empty texts
    span: Span
    start: int
    end: int
    head: str  # decorators, or annotations and modifiers, as they stand; empty where there are none
    has_error: bool


@lru_cache(maxsize=32)
def written_in(read: Source) -> tuple[Written, ...]:
    """In the order of the text; code with errors is searched as far as it could be parsed."""
    return tuple(_written(read))


def _written(read: Source) -> Iterator[Written]:
    waiting: list[tuple[Node, tuple[str, ...]]] = [(read.root, ())]
    while waiting:
        node, within = waiting.pop()
        if node.type in read.language.functions:
            yield _of(node, within)
            continue
        inner = (*within, _text(node.child_by_field_name("name"))) if node.type in _CLASSES else within
        waiting.extend((child, inner) for child in reversed(node.named_children))


def _of(node: Node, within: tuple[str, ...]) -> Written:
    parent = node.parent
    is_decorated = parent is not None and parent.type == "decorated_definition"
    first = parent if is_decorated and parent is not None else node
    name, parameters = _declared(node)
    if is_decorated:
        head = "".join(f"{_text(each)}\n" for each in first.named_children if each.type == "decorator")
    else:
        head = "".join(_text(each) for each in node.named_children[:1] if each.type == "modifiers")
    span = Span(first.start_point.row + 1, node.end_point.row + 1)
    return Written(name, within, parameters, span, first.start_byte, node.end_byte, head, node.has_error)


def _declared(node: Node) -> tuple[str, tuple[str, ...]]:
    """The name and the parameters; in C both stand inside the declarators of pointers and brackets."""
    name, listed = node.child_by_field_name("name"), node.child_by_field_name("parameters")
    inner = node.child_by_field_name("declarator")
    while name is None and inner is not None:
        listed = inner.child_by_field_name("parameters") or listed
        name = inner if inner.type == "identifier" else None
        named = (each for each in inner.named_children if each.type.endswith(("declarator", "identifier")))
        inner = inner.child_by_field_name("declarator") or next(named, None)
    parameters = [] if listed is None else [each for each in listed.named_children if "comment" not in each.type]
    if [_text(each) for each in parameters] == ["void"]:
        parameters = []
    is_java = node.type.endswith("_declaration")
    return _text(name), tuple(_type_of(each) if is_java else "" for each in parameters)


def _type_of(parameter: Node) -> str:
    """Without type arguments and packages, which are often written in another way."""
    text = "".join(_text(parameter.child_by_field_name("type")).split())
    return text.partition("<")[0].rpartition(".")[2] + ("[]" if text.endswith("[]") and "<" in text else "")


def _text(node: Node | None) -> str:
    return "" if node is None else (node.text or b"").decode("utf-8", "surrogatepass")


def identifiers(read: Source) -> Iterator[tuple[int, int, str]]:
    """First byte, byte after the last, and text of each name in the code."""
    waiting = [read.root]
    while waiting:
        node = waiting.pop()
        if node.type.endswith("identifier") and not node.named_child_count:
            yield node.start_byte, node.end_byte, _text(node)
        waiting.extend(reversed(node.named_children))
