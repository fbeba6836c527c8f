"""Functions still to be written, as bugs: the reference solution is the known fix, an empty body the buggy code."""

from __future__ import annotations

import ast

TARGET = "solution.py"  # the file to be written
TESTS = "test_solution.py"


def imports(tests: str, reference: str) -> str:
    """The lines with which a test module gets the names that it takes from the solution.

    What the reference itself imports is imported anew: a solution that does without it is no worse for that.
    """
    wanted = {node.id for node in ast.walk(ast.parse(tests)) if isinstance(node, ast.Name)}
    lines, names = [], []
    for statement in ast.parse(reference).body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            bound = {alias.asname or alias.name.partition(".")[0] for alias in statement.names}
            lines += [ast.unparse(statement)] if wanted & bound else []
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names += [statement.name] if statement.name in wanted else []
    taken = sorted(set(names))
    return "".join(f"{line}\n" for line in [*lines, *([f"from solution import {', '.join(taken)}"] if taken else [])])
