"""Applies the fix of one version of a program to another: only the lines of code that differ are replaced."""

from __future__ import annotations

import ast
import io
import tokenize

from engine.domain import lines_of


def without_epilogue(text: str) -> str:
    """`text` without the string statements at its end."""
    body = ast.parse(text).body
    lines = lines_of(text)
    for statement in reversed(body):
        if not _is_string(statement):
            break
        del lines[statement.lineno - 1 :]
    return "".join(lines).rstrip("\n") + "\n"


def transplant(buggy: str, correct: str) -> str:
    """`buggy` with the one block of code lines in which `correct` differs; comments and docstrings are ignored.

    Raises ValueError if the code of both is the same.
    """
    old, new = _code(buggy), _code(correct)
    most = min(len(old), len(new))
    head = next((i for i in range(most) if old[i][1] != new[i][1]), most)
    tail = next((i for i in range(most - head) if old[-1 - i][1] != new[-1 - i][1]), most - head)
    replaced, taken = old[head : len(old) - tail], new[head : len(new) - tail]
    if not replaced and not taken:
        raise ValueError("both programs have the same code")
    lines = lines_of(buggy)
    start = replaced[0][0] if replaced else old[head - 1][0] + 1 if head else 0
    end = replaced[-1][0] + 1 if replaced else start
    return "".join([*lines[:start], *(f"{line}\n" for _, line in taken), *lines[end:]])


def _code(text: str) -> list[tuple[int, str]]:
    """Index and text of each line that contains code, without its comment."""
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
    return [(index, line.rstrip()) for index, line in enumerate(lines) if line.strip()]


def _is_string(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
