"""The verdict on one patch, one of the home's earlier ones or a new one, and whether a bug's tests work here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore, Lock
from time import monotonic

from engine import requeued
from engine.benchmarks import Benchmark, Versioned
from engine.domain import Bug, Outcome, Patch, Verdict
from engine.rundir import STOPPED
from engine.sandboxes import Sandbox
from engine.scoring import control_trouble
from engine.verdict_cache import VerdictCache

WAITING = 4  # threads for each patch that is tested: a test takes 30 ms, and `requeued.is_ending` 50
Evaluate = Callable[[Bug, Patch, Sandbox], Verdict]  # `Benchmark.evaluate`


@dataclass(frozen=True)
class Control:
    """The verdicts on a bug's known fix and on its buggy code."""

    known_fix: Verdict
    buggy_code: Verdict

    @property
    def trouble(self) -> str:
        """Why the bug cannot be scored here; empty if it can."""
        trouble = control_trouble(self.known_fix.outcome, self.buggy_code.outcome)
        not_run = [verdict for verdict in (self.known_fix, self.buggy_code) if verdict.outcome is Outcome.NOT_RUN]
        why = f" ({not_run[0].reason or 'no reason given'})" if not_run else ""
        return f"not scored: {trouble}{why}" if trouble else ""


def threads_for(at_once: int) -> int:
    """How many threads ask a `Judge` for verdicts that tests so many patches at a time.

    More, where a verdict has to wait for a moment that it may be due to a scheduler: else a place would be empty then.
    """
    return at_once * (WAITING if requeued.may_be_ended() else 1)


class Judge:
    """Evaluates patches of one benchmark in one sandbox. Safe to use from several threads."""

    def __init__(
        self, benchmark: Benchmark, sandbox: Sandbox, home: Path, at_once: int, evaluate: Evaluate | None = None
    ) -> None:
        """`home`: the folder whose earlier verdicts are used, and to whose new ones are added.

        `at_once`: so many patches are tested at a time, whatever the number of threads. `evaluate`: what runs a patch's
        tests in place of the benchmark's own method, as on other nodes.
        """
        self._places = BoundedSemaphore(at_once)
        self._benchmark = benchmark
        self._evaluate = evaluate or benchmark.evaluate
        self._sandbox = sandbox
        self._cache = VerdictCache(home / "verdicts")
        self._lock = Lock()
        self.asked = 0  # verdicts, those of earlier runs included
        self.tested = 0  # patches whose tests were run
        self.seconds = 0.0  # that this took, of all threads together
        self.first_s = 0.0  # that the first of them took: others wait meanwhile for sandboxes too

    def control(self, bug: Bug) -> Control:
        """Evaluate the known fix and the buggy code, which is done anew in every run."""
        known_fix, buggy_code = (self._evaluated(bug, Patch(bug.id, text)) for text in (bug.fixed, bug.buggy))
        return Control(known_fix, buggy_code)

    def verdict(self, bug: Bug, patch: Patch, *, is_cached: bool = True) -> Verdict:
        """By running the tests, unless an earlier run of this home did so under the same conditions.

        `is_cached`: whether such a verdict is used, and a new one kept.
        """
        version = self._benchmark.version(bug) if isinstance(self._benchmark, Versioned) else ""
        if not (is_cached and version and patch.text is not None):
            return self._evaluated(bug, patch)
        conditions = (bug.id, version, patch.text, self._sandbox.describe())
        verdict = self._cache.get(*conditions)
        if verdict is not None:
            with self._lock:
                self.asked += 1
        else:
            verdict = self._evaluated(bug, patch)
            self._cache.put(verdict, *conditions)
        return verdict

    def _evaluated(self, bug: Bug, patch: Patch) -> Verdict:
        """A new verdict. Raises SystemExit where tests may have failed since a scheduler ends them and this worker."""
        with self._places:
            began = monotonic()
            verdict = self._evaluate(bug, patch, self._sandbox)
            took = monotonic() - began
        with self._lock:
            self.asked, self.tested, self.seconds = self.asked + 1, self.tested + 1, self.seconds + took
            self.first_s = self.first_s or took
        if verdict.outcome is not Outcome.PLAUSIBLE and requeued.is_ending():
            raise SystemExit(STOPPED)
        return verdict
