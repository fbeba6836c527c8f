"""The expected and the actual value of a failed assertion in Python, by the code of the assertion.

Neither pytest's `assert got == want` nor unittest's `assertEqual(first, second)` says which is which. Here a side that
is written out in the code is the expected one, else one with a name like `expected`, else one that calls nothing where
the other does, else the second.
"""

from __future__ import annotations

import ast
import re

MOST_CHARS = 2000  # of a message or an assertion that is looked at
_EXPECTED = re.compile(r"_*(?:expect|want|answer|correct|golden|reference|target|truth|desired|should)", re.IGNORECASE)
_ACTUAL = re.compile(r"_*(?:got|actual|result|out|ret|found|obtained|res)(?:$|_|\d|put|urned)", re.IGNORECASE)
_MAKES_VALUES = frozenset(
    {"approx", "set", "frozenset", "tuple", "list", "dict", "Decimal", "Fraction", "range", "float", "bytes", "date"}
)
_COMPARES = re.compile(r"\bassert\w*(?:Equals?|Is|Equals?Ignoring\w*)\(")
_APPROX = re.compile(r"\n *Obtained: (.*)\n *Expected: (.*)")
_OF_PYTEST = re.compile(r"\n *(?:\+ +where .*|Use -v to get more diff)")
_SAME = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot)
Values = tuple[str | None, str | None, str]  # expected, actual, the rest of the message


def expected_and_actual(message: str, code: str) -> Values:
    """Expected, actual, and what else the message says; None where it compares nothing. `code`: of the assertion."""
    message = message[:MOST_CHARS].strip()
    own, asserts, compared = f"\n{message}".rpartition("\nassert ")
    if asserts:  # pytest's, behind the message that the test gives
        values, own = _of_pytest(compared), own.strip()
    else:
        values, own = _of_unittest(message, code)
    if values is None:
        return None, None, _OF_PYTEST.sub("", message).strip()
    expected, actual = values if _is_first_expected(code[:MOST_CHARS]) else values[::-1]
    return expected, actual, own


def _of_pytest(compared: str) -> tuple[str, str] | None:
    """Both sides, in the order of the code."""
    if found := _APPROX.search(compared):
        return found[1], found[2]
    return _sides(compared.partition("\n")[0], " == ", " is ")


def _of_unittest(message: str, code: str) -> tuple[tuple[str, str] | None, str]:
    """Both sides, and the message that the test gives."""
    first, _, rest = message.partition("\n")
    _, differ, values = first.partition(" differ: ")
    sides = _sides(values if differ else first, " != ", " is not ") if _COMPARES.search(code) else None
    if sides is None:
        return None, message
    if differ or rest:  # with a listing of what differs, the message is its last line
        return sides, rest.rpartition(" : ")[2] if " : " in rest else ""
    second, _, own = sides[1].partition(" : ")
    return (sides[0], second), own


def _sides(text: str, *operators: str) -> tuple[str, str] | None:
    """What stands on both sides of the one comparison in `text`; None where there is none, or it cannot be told."""
    tree = _parsed(text) if any(operator in text for operator in operators) else None
    if isinstance(tree, ast.Expr):  # else a value is no Python, as one that is cut off
        compared = tree.value
        if not (isinstance(compared, ast.Compare) and len(compared.ops) == 1):
            return None
        left, right = (ast.get_source_segment(text, each) for each in (compared.left, compared.comparators[0]))
        return (left, right) if left and right and isinstance(compared.ops[0], _SAME) else None
    operator = next((each for each in operators if text.count(each) == 1), "")
    if not operator:
        return None
    first, _, second = text.partition(operator)
    return first.strip(), second.strip()


def _is_first_expected(code: str) -> bool:
    tree = _parsed(code.strip())
    sides: list[ast.expr] = []
    if isinstance(tree, ast.Assert) and isinstance(tree.test, ast.Compare):
        sides = [tree.test.left, *tree.test.comparators]
    elif isinstance(tree, ast.Expr) and isinstance(tree.value, ast.Call):
        sides = tree.value.args
    return len(sides) >= 2 and _likeness(sides[0]) > _likeness(sides[1])


def _likeness(side: ast.expr) -> int:
    """How much an expression looks like an expected value; two that are alike are told apart by their order."""
    if _is_written(side):
        return 3
    inner = side.func if isinstance(side, ast.Call) else side
    name = inner.id if isinstance(inner, ast.Name) else inner.attr if isinstance(inner, ast.Attribute) else ""
    if _EXPECTED.match(name):
        return 2
    if _ACTUAL.match(name):
        return -1
    return 0 if any(isinstance(each, ast.Call) for each in ast.walk(side)) else 1


def _is_written(node: ast.expr) -> bool:
    """Whether a value is written out: a literal, or one of a few types made of literals."""
    parts = [part for part in ast.walk(node) if isinstance(part, ast.expr)]
    calls = [part for part in parts if isinstance(part, ast.Call)]
    made = [each.func for each in calls]
    names = [each.id if isinstance(each, ast.Name) else getattr(each, "attr", "") for each in made]
    inside = {part for each in made for part in ast.walk(each)}
    others = [part for part in parts if part not in inside]
    kinds = (ast.Constant, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.UnaryOp, ast.BinOp, ast.Call)
    return set(names) <= _MAKES_VALUES and all(isinstance(part, kinds) for part in others)


def _parsed(text: str) -> ast.stmt | None:
    """The first statement of a text; None where it is no Python, as a value that is cut off."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return body[0] if body else None
