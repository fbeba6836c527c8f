"""A benchmark of one bug."""

from __future__ import annotations

from typing import ClassVar, Literal

from engine import params
from engine.benchmarks import BugEntry
from engine.benchmarks.runners.evaluating import Evaluator
from engine.benchmarks.runners.python import PythonRunner
from engine.benchmarks.runners.report import Suite
from engine.domain import Bug, Span

BUGGY = "def add(a, b):\n    return a - b\n"
ADD = Bug("sample/add", "python", "add.py", BUGGY, BUGGY.replace("-", "+"), Span(2, 2), "operator", project="sample/add",
          failing=("test_add",))  # fmt: skip
TESTS = b"from add import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"


class Sample:
    """One sum that is a difference."""

    name: ClassVar[str] = "sample"

    class Params(params.Params):
        """Nothing to set."""

        name: Literal["sample"] = "sample"

    def __init__(self, params):
        self._runner = PythonRunner(5)
        self._evaluator = Evaluator()

    def check(self):
        pass

    def entries(self):
        return [BugEntry(ADD.id, ADD.language, ADD.kind)]

    def bugs(self):
        return [ADD]

    def skipped(self):
        return {}

    def evaluate(self, bug, patch, sandbox):
        suite = Suite(bug.path, "test_add.py", {"test_add.py": TESTS})
        return self._evaluator.evaluate(bug, patch, suite, self._runner, sandbox, lambda: bug.failing)
