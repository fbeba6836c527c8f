"""The kinds of fault that can be injected into a function, each a small edit of one syntax node."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from engine.builders.mutation import confusions, java, rules
from engine.builders.mutation.names import names_of
from engine.domain import Span
from engine.languages.source import parse

if TYPE_CHECKING:
    from tree_sitter import Node

Kind = Literal[
    "comparison", "arithmetic", "boolean_operator", "negated_condition", "missing_condition", "off_by_one",
    "changed_constant", "boolean_constant", "wrong_variable", "wrong_attribute", "wrong_function", "swapped_operands",
    "swapped_arguments", "dropped_argument", "missing_call", "missing_line", "missing_return", "assignment_operator",
    "index_shift", "loop_exit",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)

SHARE_POSSIBLE: dict[Kind, float] = {
    "comparison": 0.48, "arithmetic": 0.20, "boolean_operator": 0.18, "negated_condition": 0.60,
    "missing_condition": 0.18, "off_by_one": 0.36, "changed_constant": 0.68, "boolean_constant": 0.46,
    "wrong_variable": 0.63, "wrong_attribute": 0.69, "wrong_function": 0.44, "swapped_operands": 0.22,
    "swapped_arguments": 0.54, "dropped_argument": 0.60, "missing_call": 0.51, "missing_line": 0.81,
    "missing_return": 0.61, "assignment_operator": 0.06, "index_shift": 0.11, "loop_exit": 0.04,
}  # fmt: skip
"""The share of the standard library's functions of 3 to 40 lines in which a kind is possible (3,504 measured)."""


CLASS = b"class C {\n"  # around a Java method that stands alone


@dataclass(frozen=True)
class Edit:
    """Replaces bytes `start` up to, not including, `end` of the code by `text`."""

    kind: Kind
    start: int
    end: int
    text: str

    def apply(self, code: bytes) -> str:
        return (code[: self.start] + self.text.encode() + code[self.end :]).decode()


def edits(code: bytes, language: str = "python", span: Span | None = None) -> list[Edit]:
    """Every edit of every kind in a function's code, in the order of the code; each changes the code.

    `span`: the lines of the function, where `code` has more than that. Java methods may stand without their class.
    """
    if language == "java" and span is None:
        whole = Span(2, code.rstrip(b"\n").count(b"\n") + 2)  # a constructor means nothing without a class
        found = edits(CLASS + code + b"}\n", language, whole)
        return [Edit(each.kind, each.start - len(CLASS), each.end - len(CLASS), each.text) for each in found]
    root = parse(code, language).root_node
    nodes = list(_walk(root if span is None else _function_at(root, code, span)))
    names, table = (java.names_of(nodes), java.RULES) if language == "java" else (names_of(nodes), _RULES)
    return [
        Edit(kind, start, end, text)
        for node in nodes
        for kind, rule in table.get(node.type, ())
        for start, end, text in rule(node, names)
        if code[start:end] != text.encode()
    ]


def _function_at(root: Node, code: bytes, span: Span) -> Node:
    lines = code.split(b"\n")
    first, last = lines[span.start - 1], lines[span.end - 1]
    begins = (span.start - 1, len(first) - len(first.lstrip()))
    found = root.descendant_for_point_range(begins, (span.end - 1, len(last.rstrip())))
    assert found is not None, "a function of this code"
    return found


def _walk(root: Node) -> Iterator[Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(node.children))


_RULES: dict[str, tuple[tuple[Kind, rules.Rule], ...]] = {
    "comparison_operator": (
        ("comparison", rules.operator(confusions.COMPARISONS)), ("swapped_operands", rules.swapped_sides),
    ),
    "binary_operator": (
        ("arithmetic", rules.arithmetic), ("off_by_one", rules.without_one), ("swapped_operands", rules.swapped_sides),
    ),
    "boolean_operator": (
        ("boolean_operator", rules.operator({"and": ("or",), "or": ("and",)})), ("missing_condition", rules.one_side),
    ),
    "not_operator": (("negated_condition", rules.unnegated),),
    "if_statement": (("negated_condition", rules.negated),),
    "elif_clause": (("negated_condition", rules.negated),),
    "while_statement": (("negated_condition", rules.negated),),
    "integer": (("off_by_one", rules.near_integer), ("changed_constant", rules.other_number)),
    "float": (("changed_constant", rules.other_number),),
    "string": (("changed_constant", rules.other_string),),
    "true": (("boolean_constant", rules.word({"True": ("False",)})),),
    "false": (("boolean_constant", rules.word({"False": ("True",)})),),
    "none": (("boolean_constant", rules.word({"None": ("False", "True")})),),
    "identifier": (("wrong_variable", rules.other_name),),
    "attribute": (("wrong_attribute", rules.other_attribute),),
    "call": (
        ("wrong_function", rules.sibling_function), ("missing_call", rules.bare_argument),
        ("off_by_one", rules.range_end),
    ),
    "argument_list": (("swapped_arguments", rules.swapped_arguments), ("dropped_argument", rules.dropped_argument)),
    "augmented_assignment": (("assignment_operator", rules.operator(confusions.ASSIGNMENTS)),),
    "subscript": (("index_shift", rules.shifted_index),),
    "break_statement": (("loop_exit", rules.word({"break": ("continue", "pass")})),),
    "continue_statement": (("loop_exit", rules.word({"continue": ("break", "pass")})),),
    "expression_statement": (("missing_line", rules.missing),),
    "raise_statement": (("missing_line", rules.missing),),
    "delete_statement": (("missing_line", rules.missing),),
    "assert_statement": (("missing_line", rules.missing),),
    "return_statement": (("missing_line", rules.missing), ("missing_return", rules.without_return)),
}  # fmt: skip
