"""Gradle's test task: `shop.CartTest > adds FAILED`, then the exception, indented."""

from __future__ import annotations

from collections.abc import Sequence

from engine.failures import Failed
from engine.failures.java_tests import Test, tests_of


def read(lines: Sequence[str]) -> list[Failed]:
    """The tests that failed; none where Gradle did not write this log."""
    return tests_of(lines, _begins, lambda line: bool(line) and not line.startswith(" "))


def _begins(line: str) -> Test | None:
    owner, arrow, test = line.removesuffix(" FAILED").rpartition(" > ")
    is_test = arrow and line.endswith(" FAILED") and not line.startswith((" ", "> "))
    return (test.strip().removesuffix("()"), owner.partition(" > ")[0].strip()) if is_test else None
