"""The rules for Java: which edits make a node of its syntax tree faulty, and the names that a method uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.builders.mutation import confusions, rules
from engine.builders.mutation.names import Names, text_of
from engine.builders.mutation.rules import Found, Rule

if TYPE_CHECKING:
    from tree_sitter import Node

    from engine.builders.mutation import Kind

COMPARISONS = {
    **{sign: confusions.COMPARISONS[sign] for sign in (">", "<=", ">=", "!=")},
    "<": ("<=", ">", ">="),
    "==": ("!=",),
}
ARITHMETIC = {
    **{sign: confusions.ARITHMETIC[sign] for sign in ("+", "-", "&", "|", "^", "<<", ">>")},
    **{"*": ("+", "/"), "/": ("*", "%"), "%": ("/",), ">>>": (">>",)},
}
ASSIGNMENTS = {
    **{sign: confusions.ASSIGNMENTS[sign] for sign in ("+=", "-=", "&=", "|=", "^=", "<<=", ">>=")},
    **{"*=": ("+=", "="), "/=": ("*=", "="), "%=": ("/=", "=")},
}
SIBLINGS = confusions.siblings(
    ("min", "max"), ("startsWith", "endsWith"), ("indexOf", "lastIndexOf"), ("toUpperCase", "toLowerCase"),
    ("floor", "ceil", "round"), ("containsKey", "containsValue"), ("put", "putIfAbsent"), ("keySet", "values"),
    ("equals", "equalsIgnoreCase"), ("peek", "poll", "pop"), ("add", "remove"), ("addFirst", "addLast"),
    ("getFirst", "getLast"), ("removeFirst", "removeLast"), ("addAll", "removeAll", "retainAll"), ("first", "last"),
    ("floorKey", "ceilingKey", "lowerKey", "higherKey"), ("anyMatch", "allMatch", "noneMatch"), ("sin", "cos"),
    ("hasNext", "hasPrevious"), ("next", "previous"), ("push", "add"), ("replace", "replaceAll", "replaceFirst"),
)  # fmt: skip
_DECLARED = {
    "formal_parameter", "spread_parameter", "catch_formal_parameter", "enhanced_for_statement", "resource",
    "local_variable_declaration",
}  # fmt: skip
_LOOPS = {"for_statement", "enhanced_for_statement", "while_statement", "do_statement"}


def names_of(nodes: list[Node]) -> Names:
    """The names in a method's nodes; a variable with its declared type, since only those can be mistaken."""
    names = Names()
    for node in nodes:
        if node.type in _DECLARED and (kind := node.child_by_field_name("type")) is not None:
            for one in (node, *node.children_by_field_name("declarator")):
                if (name := one.child_by_field_name("name")) is not None:
                    names.variables[text_of(name)] = text_of(kind)
        elif node.type == "string_literal":
            names.strings[text_of(node)] = None
        elif node.type == "field_access" and (field := node.child_by_field_name("field")) is not None:
            names.attributes[text_of(field)] = None
        elif node.type == "method_invocation" and node.child_by_field_name("object") is not None:
            for name in node.children_by_field_name("name"):
                names.methods[f"{text_of(name)}/{_arity(node)}"] = None
    return names


def _arity(node: Node) -> int:
    arguments = node.child_by_field_name("arguments")
    return arguments.named_child_count if arguments is not None else 0


def _sign(node: Node) -> str:
    sign = node.child_by_field_name("operator")
    return text_of(sign) if sign is not None else ""


def arithmetic(node: Node, names: Names) -> Found:
    """`a + b` becomes `a - b`; not where texts are joined."""
    sides = [node.child_by_field_name(name) for name in ("left", "right")]
    if not any(side is None or b'"' in (side.text or b"") for side in sides):
        yield from rules.operator(ARITHMETIC)(node, names)


def one_side(node: Node, names: Names) -> Found:
    """`x && y` becomes `x`, or `y`."""
    if _sign(node) in ("&&", "||"):
        yield from rules.one_side(node, names)


def unnegated(node: Node, names: Names) -> Found:
    """`!x` becomes `x`."""
    inner = node.child_by_field_name("operand")
    if inner is not None and _sign(node) == "!":
        yield node.start_byte, inner.start_byte, ""


def negated(node: Node, names: Names) -> Found:
    """`if (x)` becomes `if (!x)`."""
    condition = node.child_by_field_name("condition")
    inner = condition.named_children if condition is not None else []
    if len(inner) != 1 or condition is None or condition.type != "parenthesized_expression":
        return
    if inner[0].type == "unary_expression" and _sign(inner[0]) == "!":
        return
    is_plain = inner[0].type in ("identifier", "method_invocation", "field_access", "parenthesized_expression")
    yield inner[0].start_byte, inner[0].end_byte, f"!{text_of(inner[0])}" if is_plain else f"!({text_of(inner[0])})"


def other_name(node: Node, names: Names) -> Found:
    """Another variable of the same type, where this one is read."""
    parent, kind = node.parent, names.variables.get(text_of(node))
    if parent is None or kind is None or parent.type in ("method_reference", "labeled_statement", "lambda_expression"):
        return
    field = next((name for name in ("name", "field", "left") if parent.child_by_field_name(name) == node), "")
    if field and not (field == "left" and parent.type == "binary_expression"):
        return
    for other, its_kind in names.variables.items():
        if its_kind == kind:
            yield node.start_byte, node.end_byte, other


def other_field(node: Node, names: Names) -> Found:
    """A field becomes another one that the method reads."""
    if (field := node.child_by_field_name("field")) is not None:
        for other in names.attributes:
            yield field.start_byte, field.end_byte, other


def other_method(node: Node, names: Names) -> Found:
    """A method of an object becomes another one that is called here with as many arguments."""
    name = node.child_by_field_name("name")
    if name is not None and node.child_by_field_name("object") is not None:
        for method in names.methods:
            other, _, arity = method.partition("/")
            if int(arity) == _arity(node):
                yield name.start_byte, name.end_byte, other


def sibling_method(node: Node, names: Names) -> Found:
    """`min` becomes `max`: well-known methods that are often confused."""
    if (name := node.child_by_field_name("name")) is not None:
        for other in SIBLINGS.get(text_of(name), ()):
            yield name.start_byte, name.end_byte, other


def missing_call(node: Node, names: Names) -> Found:
    """`Math.abs(x)` becomes `x`, and `text.trim()` becomes `text`."""
    parent, arguments = node.parent, node.child_by_field_name("arguments")
    if parent is None or parent.type in ("expression_statement", "lambda_expression") or arguments is None:
        return
    given = arguments.named_children
    of = node.child_by_field_name("object")
    if len(given) == 1 and given[0].type in ("identifier", "field_access", "method_invocation", "array_access"):
        yield node.start_byte, node.end_byte, text_of(given[0])
    elif not given and of is not None and of.type in ("identifier", "method_invocation", "string_literal"):
        yield node.start_byte, node.end_byte, text_of(of)


def shifted_index(node: Node, names: Names) -> Found:
    """`a[i]` becomes `a[i + 1]` or `a[i - 1]`."""
    index = node.child_by_field_name("index")
    if index is not None and index.type in ("identifier", "field_access", "binary_expression"):
        yield index.end_byte, index.end_byte, " + 1"
        yield index.end_byte, index.end_byte, " - 1"


def loop_exit(node: Node, names: Names) -> Found:
    """`break` becomes `continue`, and the other way round; not the end of a case."""
    around = node.parent
    while around is not None and around.type not in _LOOPS and not around.type.startswith("switch"):
        around = around.parent
    if around is not None and around.type in _LOOPS:
        yield from rules.word({"break;": ("continue;",), "continue;": ("break;",)})(node, names)


RULES: dict[str, tuple[tuple[Kind, Rule], ...]] = {
    "binary_expression": (
        ("comparison", rules.operator(COMPARISONS)), ("arithmetic", arithmetic), ("off_by_one", rules.without_one),
        ("boolean_operator", rules.operator({"&&": ("||",), "||": ("&&",)})), ("missing_condition", one_side),
        ("swapped_operands", rules.swapped_sides),
    ),
    "unary_expression": (("negated_condition", unnegated),),
    "if_statement": (("negated_condition", negated),),
    "while_statement": (("negated_condition", negated),),
    "do_statement": (("negated_condition", negated),),
    "decimal_integer_literal": (("off_by_one", rules.near_integer), ("changed_constant", rules.other_number)),
    "decimal_floating_point_literal": (("changed_constant", rules.other_number),),
    "string_literal": (("changed_constant", rules.other_string),),
    "true": (("boolean_constant", rules.word({"true": ("false",)})),),
    "false": (("boolean_constant", rules.word({"false": ("true",)})),),
    "identifier": (("wrong_variable", other_name),),
    "field_access": (("wrong_attribute", other_field),),
    "method_invocation": (
        ("wrong_function", sibling_method), ("wrong_attribute", other_method), ("missing_call", missing_call),
    ),
    "argument_list": (("swapped_arguments", rules.swapped_arguments),),
    "assignment_expression": (("assignment_operator", rules.operator(ASSIGNMENTS)),),
    "update_expression": (("assignment_operator", rules.operator({"++": ("--",), "--": ("++",)})),),
    "array_access": (("index_shift", shifted_index),),
    "break_statement": (("loop_exit", loop_exit),),
    "continue_statement": (("loop_exit", loop_exit),),
    "expression_statement": (("missing_line", rules.missing),),
    "throw_statement": (("missing_line", rules.missing),),
}  # fmt: skip
