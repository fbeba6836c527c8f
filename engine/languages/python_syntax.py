"""Python's own syntax trees, built by one thread at a time."""

from __future__ import annotations

import ast
from threading import Lock

_BUILDING = Lock()


def tree_of(text: str | bytes) -> ast.Module:
    """As `ast.parse`, which counts the depth of all threads' trees together and may raise SystemError where two are
    built at the same time (CPython 3.11 and 3.12, https://github.com/python/cpython/issues/106905).
    """
    with _BUILDING:
        return ast.parse(text)
