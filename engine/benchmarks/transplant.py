"""Applies the fix of one version of a program to another: only the lines of code that differ are replaced."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Callable
from dataclasses import dataclass

from engine.domain import lines_of
from engine.languages.source import Source


def without_epilogue(text: str) -> str:
    """`text` without the string statements at its end."""
    body = ast.parse(text).body
    lines = lines_of(text)
    for statement in reversed(body):
        if not _is_string(statement):
            break
        del lines[statement.lineno - 1 :]
    return "".join(lines).rstrip("\n") + "\n"


@dataclass(frozen=True)
class Line:
    """A line of code: where it stands in its file, from 0, what it says, and by what it is compared."""

    index: int
    text: str
    key: str


def transplant(buggy: str, correct: str, code: Callable[[str], list[Line]] | None = None) -> str:
    """`buggy` with the one block of code lines in which `correct` differs; comments and docstrings are ignored.

    `code` finds the lines that count; without it those of Python. Raises ValueError if the code of both is the same.
    """
    old, new = (code or python_code)(buggy), (code or python_code)(correct)
    most = min(len(old), len(new))
    head = next((i for i in range(most) if old[i].key != new[i].key), most)
    tail = next((i for i in range(most - head) if old[-1 - i].key != new[-1 - i].key), most - head)
    replaced, taken = old[head : len(old) - tail], new[head : len(new) - tail]
    if not replaced and not taken:
        raise ValueError("both programs have the same code")
    lines = lines_of(buggy)
    start = replaced[0].index if replaced else old[head - 1].index + 1 if head else 0
    end = replaced[-1].index + 1 if replaced else start
    return "".join([*lines[:start], *(f"{line.text}\n" for line in taken), *lines[end:]])


def python_code(text: str) -> list[Line]:
    """The lines that hold code, without their comments; a line's indent counts."""
    lines = [line.rstrip("\n") for line in lines_of(text)]
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for statement in ast.walk(ast.parse(text)):
        if _is_string(statement):
            assert isinstance(statement, ast.Expr)
            assert statement.end_lineno is not None
            for row in range(statement.lineno - 1, statement.end_lineno):
                lines[row] = ""
    return [Line(index, line.rstrip(), line.rstrip()) for index, line in enumerate(lines) if line.strip()]


def java_code(text: str) -> list[Line]:
    """The lines that hold code, without their comments, packages and imports; blanks do not count."""
    bare = Source(text, "java").bare_lines
    lines = ((index, line.rstrip()) for index, line in enumerate(bare) if line and line.strip())
    return [Line(at, line, "".join(line.split())) for at, line in lines if not line.startswith(("package ", "import "))]


def _is_string(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
