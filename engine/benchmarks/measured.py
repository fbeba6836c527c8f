"""For benchmarks that do not list their tests: those that the known fix passes here are those that have to pass."""

from __future__ import annotations

from engine.benchmarks.runners.evaluating import Evaluator, Runner, version
from engine.benchmarks.runners.report import Suite, verdict
from engine.domain import Bug, Outcome, Patch, Verdict
from engine.sandboxes import Sandbox


class Measured:
    """Judges patches by the tests of the known fix, which is run once for each bug and sandbox."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._evaluator = Evaluator()
        self._passed: dict[tuple[str, str], frozenset[str]] = {}

    def evaluate(self, bug: Bug, suite: Suite, patch: Patch, sandbox: Sandbox) -> Verdict:
        """`not_run` where the known fix does not pass every test that it runs."""
        return self._evaluator.evaluate(
            bug, patch, suite, self._runner, sandbox, lambda: self.passing(bug, suite, sandbox)
        )

    def version(self, bug: Bug, suite: Suite) -> str:
        """As `Versioned` has it: the tests of the known fix follow from bug and suite."""
        return version(bug, suite, self._runner)

    def passing(self, bug: Bug, suite: Suite, sandbox: Sandbox) -> frozenset[str] | Verdict:
        """The names of the tests, or why nobody can tell."""
        key = (bug.id, sandbox.describe())
        if key not in self._passed:  # two threads may both measure, with the same answer
            known = self._runner.run(bug.fixed, suite, sandbox)
            checked = verdict(known, known.passed, sandbox)
            outcome = Outcome.TEST_FAILED if checked.is_plausible and known.failed else checked.outcome
            if outcome is not Outcome.PLAUSIBLE:
                return Verdict(Outcome.NOT_RUN, f"the known fix does not pass here: {outcome}", checked.log)
            self._passed[key] = known.passed
        return self._passed[key]
