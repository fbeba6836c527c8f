"""Impossible twins: for each test another that makes the same calls and cannot pass, under a name nobody can know.

Where tests and patched code share a process, code that makes tests pass without passing them passes a twin too, and a
twin that is not reported failed makes the whole report worthless. A twin compares what its test compares with another
value of the same form instead, passes only where that is equal, and fails at its end.
"""

from __future__ import annotations

import ast
import copy
import secrets
import textwrap
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from string import ascii_lowercase as LETTERS

from engine.benchmarks.runners.report import Suite
from engine.languages.python_syntax import tree_of

END = "raise AssertionError('it ends here')"
IMPORT = "from python_unlike import unlike"
# unittest's, of two values that have to be equal, or nearly so, and of one that has to be true.
EQUAL = (
    *("assertEqual", "assertEquals", "assertListEqual", "assertTupleEqual", "assertSetEqual", "assertDictEqual"),
    *("assertSequenceEqual", "assertMultiLineEqual"),
)
NEARLY = ("assertAlmostEqual", "assertAlmostEquals", "assertCountEqual")
TRUE = ("assertTrue",)
Test = ast.FunctionDef | ast.AsyncFunctionDef


def with_twins(suite: Suite, expected: Collection[str]) -> tuple[Suite, Mapping[str, str]]:
    """The suite of Python tests with twins among them, and expected test -> its twin."""
    module = tree_of(suite.files[suite.tests])
    names: dict[str, str] = {}
    _add(module.body, names)
    text = ast.unparse(ast.fix_missing_locations(module)).encode()
    found = {test: twin_of(test, names) for test in expected}
    twins = {test: twin for test, twin in found.items() if twin}
    return replace(suite, files={**suite.files, suite.tests: text}), twins


def with_some_twins(text: bytes, functions: Collection[str]) -> tuple[bytes, Mapping[str, str]]:
    """A file of tests with a twin before or after each of these functions, and function -> its twin.

    All else stays as it is, which is faster in a long file than writing it anew. Raises SyntaxError for no Python.
    """
    names: dict[str, str] = {}
    lines = text.splitlines(keepends=True)
    for test in sorted(_tests(tree_of(text).body, functions), key=lambda test: -test.lineno):
        name = names.setdefault(test.name, _name_like(test.name))
        code = ast.unparse(ast.fix_missing_locations(_twin(test, name)))
        line = lines[test.lineno - 1]
        indent = line[: len(line) - len(line.lstrip())].decode()
        first = min(test.lineno, *(each.lineno for each in test.decorator_list), test.lineno) - 1
        assert test.end_lineno is not None, "it was parsed"
        lines.insert(secrets.choice((first, test.end_lineno)), f"\n{textwrap.indent(code, indent)}\n".encode())
    return b"".join(lines), names


def _tests(body: list[ast.stmt], functions: Collection[str]) -> Iterator[Test]:
    for statement in body:
        if isinstance(statement, Test) and statement.name in functions:
            yield statement
        for inner in _inside(statement):
            yield from _tests(inner, functions)


def _inside(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """The statements of a class, or under a condition, where tests may stand too."""
    if isinstance(statement, ast.ClassDef | ast.If | ast.Try | ast.With):
        yield statement.body
    if isinstance(statement, ast.If | ast.Try):
        yield statement.orelse
    if isinstance(statement, ast.Try):
        yield statement.finalbody
        yield from (handler.body for handler in statement.handlers)


def function_of(test: str) -> str:
    """The name of the function of a test named as pytest names it."""
    return test.partition("[")[0].rpartition("::")[2]


def twin_of(test: str, names: Mapping[str, str]) -> str:
    """The twin of a test named as pytest names it, with or without its file; empty where no function is its own."""
    way, bracket, parameters = test.partition("[")
    above, _, name = way.rpartition("::")
    return f"{above}::{names[name]}".removeprefix("::") + bracket + parameters if name in names else ""


def _add(body: list[ast.stmt], names: dict[str, str]) -> None:
    for statement in list(body):
        for inner in _inside(statement):
            _add(inner, names)
        if isinstance(statement, Test) and statement.name.startswith("test"):
            # Of one name in two classes both twins are called the same, each in its own class.
            name = names.setdefault(statement.name, _name_like(statement.name))
            body.insert(body.index(statement) + secrets.randbelow(2), _twin(statement, name))


def _name_like(test: str) -> str:
    """The twin of a function: named like it, so that nothing tells which is which but what they do."""
    return f"{test}_{''.join(secrets.choice(LETTERS) for _ in range(secrets.randbelow(4) + 5))}"


def _twin(test: Test, name: str) -> Test:
    twin = copy.deepcopy(test)
    twin.name = name
    impossible = Impossible()
    twin.body = [made for statement in twin.body for made in impossible.statements(statement)]
    twin.body += tree_of(END).body
    return twin


class Impossible(ast.NodeTransformer):
    """Turns the comparisons of a test into such with other values of the same form: the twin passes where one holds."""

    def statements(self, statement: ast.stmt) -> list[ast.stmt]:
        made = self.visit(statement)
        return made if isinstance(made, list) else [made]

    def visit_Assert(self, node: ast.Assert) -> list[ast.stmt]:
        return self._turned(node.test)

    def visit_Expr(self, node: ast.Expr) -> ast.stmt | list[ast.stmt]:
        call = node.value
        name = call.func.attr if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) else ""
        if not isinstance(call, ast.Call) or name not in {*EQUAL, *NEARLY, *TRUE} or not call.args:
            return node
        if name in TRUE:
            return self._turned(call.args[0])
        if len(call.args) < 2 or any(isinstance(each, ast.Starred) for each in call.args):
            return node
        left, right = (_name(), _name())
        code = [_assigned(left, call.args[0]), _assigned(right, call.args[1])]
        if name in EQUAL:
            return [*code, *_equal(left, right)]
        for one, other in ((left, f"unlike({right})"), (f"unlike({left})", right)):
            again = copy.deepcopy(call)
            again.args[:2] = [_expression(one), _expression(other)]
            (tried,) = tree_of("try:\n    pass\nexcept AssertionError:\n    pass\nelse:\n    return").body
            assert isinstance(tried, ast.Try), "it was written above"
            tried.body = [ast.Expr(again)]
            code.append(tried)
        return [*code[:2], *tree_of(IMPORT).body, *code[2:]]

    def visit_Return(self, node: ast.Return) -> list[ast.stmt]:
        return tree_of(END).body

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        return node  # what it returns is not the test's end

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        return node

    def _turned(self, test: ast.expr) -> list[ast.stmt]:
        """Of what a test asserts."""
        if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
            return [statement for each in test.values for statement in self._turned(each)]
        if not isinstance(test, ast.Compare) or not all(isinstance(each, ast.Eq) for each in test.ops):
            return [ast.Expr(test)]
        sides = [(_name(), side) for side in (test.left, *test.comparators)]
        code: list[ast.stmt] = [_assigned(name, side) for name, side in sides]
        for (left, _), (right, _) in pairwise(sides):
            code += _equal(left, right)
        return code


def _name() -> str:
    return f"value_{secrets.token_hex(4)}"


def _assigned(name: str, value: ast.expr) -> ast.stmt:
    return ast.Assign([ast.Name(name, ast.Store())], value)


def _expression(code: str) -> ast.expr:
    (statement,) = tree_of(code).body
    assert isinstance(statement, ast.Expr), code
    return statement.value


def _equal(left: str, right: str) -> list[ast.stmt]:
    """Ends the twin where one value is equal to what is unlike the other; each stands on its own side."""
    return tree_of(f"{IMPORT}\nif {left} == unlike({right}) or unlike({left}) == {right}:\n    return").body
