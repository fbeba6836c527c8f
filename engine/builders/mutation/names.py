"""The names that a function uses: its variables, attributes, methods and strings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node


@dataclass
class Names:
    """The names that a function uses, by their first occurrence: the candidates for wrong names."""

    variables: dict[str, str] = field(default_factory=dict)  # name -> its declared type, empty in Python
    attributes: dict[str, None] = field(default_factory=dict)
    methods: dict[str, None] = field(default_factory=dict)
    strings: dict[str, None] = field(default_factory=dict)


def names_of(nodes: list[Node]) -> Names:
    """The names in a function's nodes, without `self` and `cls`, which are not confused with others in practice."""
    names = Names()
    for node in nodes:
        parent = node.parent
        if node.type == "string":
            names.strings[text_of(node)] = None
        if node.type != "identifier" or parent is None:
            continue
        if parent.type == "attribute" and parent.child_by_field_name("attribute") == node:
            is_called = parent.parent is not None and parent.parent.child_by_field_name("function") == parent
            (names.methods if is_called else names.attributes)[text_of(node)] = None
        elif binds(node, parent) and text_of(node) not in ("self", "cls"):
            names.variables[text_of(node)] = ""
    return names


_BINDING_FIELDS = (
    ("assignment", "left"), ("augmented_assignment", "left"), ("for_statement", "left"), ("for_in_clause", "left"),
    ("default_parameter", "name"), ("typed_default_parameter", "name"), ("named_expression", "name"),
)  # fmt: skip
_BINDING_PARENTS = {"parameters", "typed_parameter", "lambda_parameters", "pattern_list", "tuple_pattern",
                    "as_pattern_target", "list_splat_pattern"}  # fmt: skip


def binds(node: Node, parent: Node) -> bool:
    """Whether the identifier `node` gets its value here: a parameter, a target, a loop variable."""
    if parent.type in _BINDING_PARENTS:
        return True
    return any(parent.type == kind and parent.child_by_field_name(name) == node for kind, name in _BINDING_FIELDS)


def text_of(node: Node) -> str:
    """The code of one node."""
    return (node.text or b"").decode()
