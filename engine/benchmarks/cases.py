"""What benchmarks in one language have in common: a runner, and each bug with the suite that tests it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence

from engine.benchmarks import BugEntry
from engine.benchmarks.runners.evaluating import Evaluator, Runner, version
from engine.benchmarks.runners.report import Suite
from engine.benchmarks.shown_tests import with_tests
from engine.domain import Bug, Patch, Verdict
from engine.sandboxes import Sandbox

Case = tuple[Bug, Suite]


class Cases(ABC):
    """The part of `Benchmark` that follows from the cases of a benchmark."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._evaluator = Evaluator()

    @property
    @abstractmethod
    def _cases(self) -> Mapping[str, Case]:
        """Bug id -> the bug and its tests, in a fixed order; subclasses read them once."""

    @abstractmethod
    def entries(self) -> Sequence[BugEntry]:
        """As `Benchmark` has it."""

    def bugs(self) -> list[Bug]:
        return [with_tests(bug, suite) for bug, suite in self._cases.values()]

    def skipped(self) -> Mapping[str, str]:
        reason = self._runner.unavailable()
        return {bug.id: reason for bug in self.entries()} if reason else {}

    def evaluate(self, bug: Bug, patch: Patch, sandbox: Sandbox) -> Verdict:
        _, suite = self._cases[bug.id]
        return self._evaluator.evaluate(
            bug, patch, suite, self._runner, sandbox, lambda: self._expected(bug, suite, sandbox)
        )

    def version(self, bug: Bug) -> str:
        return version(bug, self._cases[bug.id][1], self._runner)

    def _expected(self, bug: Bug, suite: Suite, sandbox: Sandbox) -> Collection[str] | Verdict:
        """The tests that have to pass, or why nobody can tell."""
        return bug.failing + bug.passing
