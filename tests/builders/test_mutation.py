"""Each kind of fault, on the smallest function that has room for it."""

from __future__ import annotations

import ast
import inspect

import pytest

from engine.builders.mutation import KINDS, SHARE_POSSIBLE, edits
from engine.domain import Span


def faults(kind: str, body: str, head: str = "def f(a, b, xs):") -> set[str]:
    """What the line `body` becomes under the edits of a kind."""
    code = f"{head}\n    {body}\n    print(xs)\n".encode()
    return {edit.apply(code).split("\n")[1].strip() for edit in edits(code) if edit.kind == kind} - {body}


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        ("comparison", "return a < b", "return a <= b"),
        ("comparison", "return a is not b", "return a is b"),
        ("comparison", "return a not in xs", "return a in xs"),
        ("arithmetic", "return a + b", "return a - b"),
        ("boolean_operator", "return a and b", "return a or b"),
        ("negated_condition", "return not a", "return a"),
        ("negated_condition", "if a or b: pass", "if not (a or b): pass"),
        ("negated_condition", "while a: pass", "while not a: pass"),
        ("missing_condition", "return a and b", "return b"),
        ("off_by_one", "return xs[2]", "return xs[1]"),
        ("off_by_one", "return a - 1", "return a"),
        ("off_by_one", "return range(a)", "return range(a + 1)"),
        ("changed_constant", "return 7", "return 1"),
        ("changed_constant", "return 'é' + a", "return '' + a"),
        ("boolean_constant", "return True", "return False"),
        ("boolean_constant", "return None", "return False"),
        ("wrong_variable", "return a", "return b"),
        ("wrong_attribute", "return a.left + b.right", "return a.right + b.right"),
        ("wrong_attribute", "return a.push(b.pull())", "return a.pull(b.pull())"),
        ("wrong_function", "return min(a, b)", "return max(a, b)"),
        ("wrong_function", "return xs.append(a)", "return xs.extend(a)"),
        ("swapped_operands", "return a - b", "return b - a"),
        ("swapped_arguments", "return g(a, b)", "return g(b, a)"),
        ("dropped_argument", "return g(a, b)", "return g(b)"),
        ("dropped_argument", "return g(a, b=1)", "return g(a)"),
        ("missing_call", "return sorted(xs)", "return xs"),
        ("missing_line", "a = b", "print(xs)"),
        ("missing_return", "return a", "a"),
        ("assignment_operator", "a += b", "a -= b"),
        ("index_shift", "return xs[a]", "return xs[a + 1]"),
        ("index_shift", "return xs[-1]", "return xs[0]"),
        ("loop_exit", "for a in xs: break", "for a in xs: continue"),
    ],
)
def test_a_fault_of_each_kind(kind, body, expected):
    assert expected in faults(kind, body)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("arithmetic", "return '%s' % a"),
        ("swapped_operands", "return '%s' % a"),
        ("swapped_operands", "return a + b"),
        ("swapped_arguments", "return g(a, a)"),
        ("dropped_argument", "return g(a)"),
        ("missing_call", "print(a)"),
        ("wrong_variable", "import a"),
        ("missing_return", "return"),
        ("changed_constant", "''"),
    ],
)
def test_code_where_an_edit_is_no_fault_is_not_changed(kind, body):
    assert faults(kind, body) == set()


def java_faults(kind: str, body: str) -> set[str]:
    """What the line `body` of a Java method becomes under the edits of a kind."""
    code = f"int f(int a, int b, List<String> xs) {{\n    {body}\n    use(xs);\n}}\n".encode()
    found = [edit.apply(code) for edit in edits(code, "java") if edit.kind == kind]
    return {text.split("\n")[1].strip() for text in found} - {body}


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        ("comparison", "return a < b;", "return a <= b;"),
        ("arithmetic", "return a * b;", "return a + b;"),
        ("boolean_operator", "return a > 0 && b > 0;", "return a > 0 || b > 0;"),
        ("negated_condition", "if (a > b) { b = 1; }", "if (!(a > b)) { b = 1; }"),
        ("negated_condition", "if (!xs.isEmpty()) { b = 1; }", "if (xs.isEmpty()) { b = 1; }"),
        ("missing_condition", "return a > 0 && b > 0;", "return a > 0;"),
        ("off_by_one", "return xs.get(2);", "return xs.get(1);"),
        ("off_by_one", "return a - 1;", "return a;"),
        ("changed_constant", "return 7;", "return 0;"),
        ("changed_constant", 'return "text";', 'return "";'),
        ("boolean_constant", "return true;", "return false;"),
        ("wrong_variable", "return a;", "return b;"),
        ("wrong_attribute", "return left.x + left.y;", "return left.y + left.y;"),
        ("wrong_attribute", "return xs.size() + xs.hashCode();", "return xs.hashCode() + xs.hashCode();"),
        ("wrong_function", "return Math.min(a, b);", "return Math.max(a, b);"),
        ("swapped_operands", "return a - b;", "return b - a;"),
        ("swapped_arguments", "return g(a, b);", "return g(b, a);"),
        ("missing_call", "return Math.abs(a);", "return a;"),
        ("missing_call", "return text.trim();", "return text;"),
        ("missing_line", "a = b;", "use(xs);"),
        ("assignment_operator", "a += b;", "a -= b;"),
        ("assignment_operator", "a++;", "a--;"),
        ("index_shift", "return array[a];", "return array[a + 1];"),
        ("loop_exit", "while (a > b) { break; }", "while (a > b) { continue; }"),
    ],
)
def test_a_java_fault_of_each_kind(kind, body, expected):
    assert expected in java_faults(kind, body)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("wrong_variable", "return xs;"),  # no other of its type
        ("arithmetic", 'return "a" + a;'),
        ("loop_exit", "switch (a) { case 1: break; }"),
        ("wrong_attribute", "return xs.get(a) + xs.size();"),  # other numbers of arguments
        ("missing_call", "xs.clear();"),
    ],
)
def test_java_where_an_edit_is_no_fault_or_no_program_is_not_changed(kind, body):
    assert java_faults(kind, body) == set()


def test_a_java_constructor_may_stand_alone_and_a_method_in_its_class():
    alone = b"Box(int a) {\n    super(a);\n    this.a = a + 1;\n}\n"
    assert {"arithmetic", "off_by_one"} <= {edit.kind for edit in edits(alone, "java")}
    inside = b"class Box {\n    int f() { return 1; }\n    int g() { return 2; }\n}\n"
    found = [edit.apply(inside) for edit in edits(inside, "java", Span(3, 3))]
    assert found
    assert all("return 1;" in text and "return 2;" not in text for text in found)


def test_types_are_no_code():
    code = b"def f(a: None, b: 'A') -> None:\n    return a\n"
    assert {edit.kind for edit in edits(code)} == {"wrong_variable", "missing_return"}


def test_self_is_not_taken_for_a_variable():
    assert faults("wrong_variable", "return self.g(a)", "def f(self, a):") == set()


def test_every_edit_of_a_real_function_parses():
    code = inspect.getsource(inspect.cleandoc).encode()
    found = edits(code)
    assert len(found) > 20
    assert all(edit.apply(code) != code.decode() for edit in found)
    assert all(ast.parse(edit.apply(code)) for edit in found)


def test_every_kind_has_its_share():
    assert set(SHARE_POSSIBLE) == set(KINDS)
    assert len(KINDS) >= 12
    assert all(0 < share <= 1 for share in SHARE_POSSIBLE.values())
