"""The rules of mutation: each reads one node of a syntax tree and yields the edits that make it faulty.

An edit is (first byte, byte after the last, new text). The result may not parse; the caller has to check that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from engine.builders.mutation import confusions
from engine.builders.mutation.names import Names, binds, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

Found = Iterator[tuple[int, int, str]]
Rule = Callable[["Node", Names], Found]

_NOT_READ = {"function_definition", "class_definition", "global_statement", "nonlocal_statement", "type", "dotted_name"}
"""Parents of identifiers that are names, but not read as variables."""


def operator(table: dict[str, tuple[str, ...]]) -> Rule:
    """A rule that replaces a node's operator by another one of `table`."""

    def rule(node: Node, names: Names) -> Found:
        for child in node.children:
            if not child.is_named:
                for other in table.get(" ".join(text_of(child).split()), ()):
                    yield child.start_byte, child.end_byte, other

    return rule


def arithmetic(node: Node, names: Names) -> Found:
    """`a + b` becomes `a - b`; not where a string is formatted with "%"."""
    left = node.child_by_field_name("left")
    if left is not None and left.type not in ("string", "concatenated_string"):
        yield from operator(confusions.ARITHMETIC)(node, names)


def unnegated(node: Node, names: Names) -> Found:
    """`not x` becomes `x`."""
    argument = node.child_by_field_name("argument")
    if argument is not None:
        yield node.start_byte, argument.start_byte, ""


def negated(node: Node, names: Names) -> Found:
    """`if x:` becomes `if not x:`."""
    condition = node.child_by_field_name("condition")
    if condition is None or condition.type == "not_operator":
        return
    is_loose = condition.type in ("boolean_operator", "conditional_expression", "lambda", "named_expression")
    text = f"({text_of(condition)})" if is_loose else text_of(condition)
    yield condition.start_byte, condition.end_byte, f"not {text}"


def one_side(node: Node, names: Names) -> Found:
    """`x and y` becomes `x`, or `y`."""
    for side in ("left", "right"):
        kept = node.child_by_field_name(side)
        if kept is not None:
            yield node.start_byte, node.end_byte, text_of(kept)


def near_integer(node: Node, names: Names) -> Found:
    """`n` becomes `n + 1` or `n - 1`, never negative."""
    if text_of(node).isdecimal():
        value = int(text_of(node))
        yield node.start_byte, node.end_byte, str(value + 1)
        if value > 0:
            yield node.start_byte, node.end_byte, str(value - 1)


def without_one(node: Node, names: Names) -> Found:
    """`n - 1` becomes `n`."""
    right, left, sign = (node.child_by_field_name(name) for name in ("right", "left", "operator"))
    if left is not None and right is not None and sign is not None and text_of(right) == "1" and text_of(sign) in "+-":
        yield left.end_byte, right.end_byte, ""


def range_end(node: Node, names: Names) -> Found:
    """`range(n)` becomes `range(n + 1)` or `range(n - 1)`."""
    function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    if function is None or arguments is None or text_of(function) != "range":
        return
    for argument in arguments.named_children[:2]:
        if argument.type in ("identifier", "attribute", "call", "subscript"):
            yield argument.end_byte, argument.end_byte, " + 1"
            yield argument.end_byte, argument.end_byte, " - 1"


def other_number(node: Node, names: Names) -> Found:
    """A number becomes another small one."""
    for other in ("0", "1", "2", "-1", "10"):
        yield node.start_byte, node.end_byte, other


def other_string(node: Node, names: Names) -> Found:
    """A string becomes empty, or another one of the function."""
    parent = node.parent
    if parent is None or parent.type in ("expression_statement", "concatenated_string", "type"):
        return
    if "\n" in text_of(node):
        return
    yield node.start_byte, node.end_byte, "''" if text_of(node).startswith("'") else '""'
    for other in names.strings:
        if "\n" not in other and other.strip("'\"") != text_of(node).strip("'\""):
            yield node.start_byte, node.end_byte, other


def word(table: dict[str, tuple[str, ...]]) -> Rule:
    """A rule that replaces the whole node by another word of `table`."""

    def rule(node: Node, names: Names) -> Found:
        is_type = node.parent is not None and node.parent.type == "type"  # `-> None` is no value
        for other in () if is_type else table.get(text_of(node), ()):
            yield node.start_byte, node.end_byte, other

    return rule


def other_name(node: Node, names: Names) -> Found:
    """Another variable, where this one is read."""
    parent = node.parent
    if parent is None or text_of(node) not in names.variables or binds(node, parent):
        return
    if parent.type == "attribute" and parent.child_by_field_name("attribute") == node:
        return
    if parent.type == "keyword_argument" and parent.child_by_field_name("name") == node:
        return
    if parent.type in _NOT_READ:
        return
    for other in names.variables:
        yield node.start_byte, node.end_byte, other


def other_attribute(node: Node, names: Names) -> Found:
    """An attribute becomes another one that the function reads; a method, one that it calls."""
    attribute = node.child_by_field_name("attribute")
    if attribute is not None:
        is_method = text_of(attribute) in names.methods
        for other in names.methods if is_method else names.attributes:
            yield attribute.start_byte, attribute.end_byte, other


def sibling_function(node: Node, names: Names) -> Found:
    """`min` becomes `max`: well-known functions that are often confused."""
    function = node.child_by_field_name("function")
    called = function.child_by_field_name("attribute") or function if function is not None else None
    if called is not None:
        for other in confusions.SIBLINGS.get(text_of(called), ()):
            yield called.start_byte, called.end_byte, other


def swapped_sides(node: Node, names: Names) -> Found:
    """`a - b` becomes `b - a`."""
    inner = [child for child in node.named_children if child.type != "comment"]
    sign = [text_of(child) for child in node.children if not child.is_named]
    if len(inner) == 2 and len(sign) == 1 and sign[0] in confusions.NOT_COMMUTATIVE and "string" not in inner[0].type:
        yield from _exchanged(inner[0], inner[1])


def _exchanged(left: Node, right: Node) -> Found:
    if text_of(left) != text_of(right):
        between = (left.parent.text or b"")[left.end_byte - left.parent.start_byte :] if left.parent else b""
        middle = between[: right.start_byte - left.end_byte].decode()
        yield left.start_byte, right.end_byte, text_of(right) + middle + text_of(left)


def _arguments_of(node: Node) -> list[Node]:
    return [child for child in node.named_children if child.type != "comment"]


def swapped_arguments(node: Node, names: Names) -> Found:
    """`f(a, b)` becomes `f(b, a)`."""
    found = _arguments_of(node)
    for left, right in pairwise(found):
        if not {left.type, right.type} & {"keyword_argument", "list_splat", "dictionary_splat"}:
            yield from _exchanged(left, right)


def dropped_argument(node: Node, names: Names) -> Found:
    """`f(a, b)` becomes `f(a)` or `f(b)`."""
    found = _arguments_of(node)
    for number, argument in enumerate(found if len(found) > 1 else ()):
        if number:
            yield found[number - 1].end_byte, argument.end_byte, ""
        else:
            yield argument.start_byte, found[1].start_byte, ""


def bare_argument(node: Node, names: Names) -> Found:
    """`sorted(names)` becomes `names`."""
    arguments, parent = node.child_by_field_name("arguments"), node.parent
    if arguments is None or arguments.type != "argument_list" or parent is None:
        return
    found = _arguments_of(arguments)
    is_plain = len(found) == 1 and found[0].type in ("identifier", "attribute", "subscript", "call", "string")
    if is_plain and parent.type not in ("expression_statement", "raise_statement", "decorator", "with_item"):
        yield node.start_byte, node.end_byte, text_of(found[0])


def missing(node: Node, names: Names) -> Found:
    """Removes a statement that shares no line with another, if its block has further statements."""
    block = node.parent
    if block is None or block.type != "block" or block.named_child_count < 2 or node.type == "pass_statement":
        return
    neighbours = [one for one in (node.prev_sibling, node.next_sibling) if one is not None]
    if any(
        one.type == ";" or one.end_point.row == node.start_point.row or one.start_point.row == node.end_point.row
        for one in neighbours
    ):
        return
    before, after = node.prev_sibling, node.next_sibling
    if after is not None:
        yield node.start_byte, after.start_byte, ""
    elif before is not None:
        yield before.end_byte, node.end_byte, ""


def without_return(node: Node, names: Names) -> Found:
    """`return x` becomes `x`."""
    if node.named_child_count == 1:
        yield node.start_byte, node.named_children[0].start_byte, ""


def shifted_index(node: Node, names: Names) -> Found:
    """`a[i]` becomes `a[i + 1]` or `a[i - 1]`."""
    for index in node.children_by_field_name("subscript"):
        text = text_of(index)
        if index.type == "unary_operator" and text == "-1":
            yield index.start_byte, index.end_byte, "0"
        elif index.type in ("identifier", "attribute", "binary_operator"):
            yield index.end_byte, index.end_byte, " + 1"
            yield index.end_byte, index.end_byte, " - 1"
