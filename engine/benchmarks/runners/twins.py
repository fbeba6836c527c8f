"""Impossible twins: for each test another that makes the same calls and cannot pass, under a name nobody can know.

Where tests and patched code share a process, code that makes tests pass without passing them passes a twin too, and a
twin that is not reported failed makes the whole report worthless. A twin compares what its test compares with a random
text instead, passes only where that is equal, and fails at its end.
"""

from __future__ import annotations

import ast
import copy
import secrets
import textwrap
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from engine.benchmarks.runners.report import Suite
from engine.languages.python_syntax import tree_of

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
        name = names.setdefault(test.name, f"test_{secrets.token_hex(8)}")
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
            name = names.setdefault(statement.name, f"test_{secrets.token_hex(8)}")
            body.insert(body.index(statement) + secrets.randbelow(2), _twin(statement, name))


def _twin(test: Test, name: str) -> Test:
    twin = copy.deepcopy(test)
    twin.name = name
    impossible = Impossible()
    twin.body = [made for statement in twin.body for made in impossible.statements(statement)]
    twin.body += tree_of("raise AssertionError('the end of a twin')").body
    return twin


class Impossible(ast.NodeTransformer):
    """Turns the assertions of a test into comparisons with a random text."""

    def __init__(self) -> None:
        self._text = secrets.token_hex(16)

    def statements(self, statement: ast.stmt) -> list[ast.stmt]:
        made = self.visit(statement)
        return made if isinstance(made, list) else [made]

    def visit_Assert(self, node: ast.Assert) -> list[ast.stmt]:
        test = node.test
        is_equality = isinstance(test, ast.Compare) and all(isinstance(each, ast.Eq) for each in test.ops)
        if not is_equality or not isinstance(test, ast.Compare):
            return [ast.Expr(test)]
        code: list[ast.stmt] = []
        for place, side in enumerate((test.left, *test.comparators)):
            held = f"held_{self._text}_{place}"
            code.append(ast.Assign([ast.Name(held, ast.Store())], side))
            code += tree_of(f"if {held} == {self._text!r} or {self._text!r} == {held}:\n    return").body
        return code

    def visit_Return(self, node: ast.Return) -> list[ast.stmt]:
        return tree_of("raise AssertionError('the end of a twin')").body

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        return node  # what it returns is not the test's end

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        return node
