"""From a patch to its verdict: fast to refuse, careful to accept.

A patch is first tried in a warm place that others have used; that run can only refuse it. One that passes there runs
once more in a fresh place of its own, and only that makes it plausible. There the patched code is *isolated* in a
process without tests where the known fix passes that way, which is where tests and code exchange plain values. Else
it *shares* a process with its tests: every test gets an impossible twin, and what the patch adds is screened.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from hashlib import blake2b
from typing import Protocol

from engine.benchmarks.runners.report import ALL_TESTS, Report, Suite, verdict
from engine.benchmarks.runners.screen import introspection
from engine.domain import Bug, Isolation, Outcome, Patch, Verdict
from engine.errors import SandboxUnavailable
from engine.sandboxes import Sandbox
from engine.sandboxes.place import Lasting

TIMES = 20  # the time of the known fix's tests: what takes longer has not ended, within the limit that is set
VERSION = 5  # of how patches are judged: raised where the same patch may get another verdict


class Runner(Protocol):
    """Runs the tests of one language. Safe to use from several threads at once."""

    is_warm: bool  # whether patches are tried in warm places first
    least_s: float  # processor time that any program needs that passes its tests, many times over

    @property
    def version(self) -> str:
        """Limits, interpreter or JVM: what its verdicts depend on."""

    def unavailable(self) -> str:
        """Why no patch can be tested on this machine and what to install; empty where one can."""

    def run(self, text: str, suite: Suite, sandbox: Sandbox) -> Report:
        """The reference: compile `text` as the suite's target and run its tests, in a fresh process of both."""

    def trial(self, text: str, suite: Suite, sandbox: Sandbox) -> Report:
        """The same in a warm place."""

    def apart(self, text: str, suite: Suite, sandbox: Sandbox) -> Report | None:
        """The same with the tests in one sandbox and `text` in another, a fresh one; None where that is impossible.

        As it is for Python and Java in a sandbox that runs one command only.
        """

    def prepare(self, known_fix: str, suite: Suite, sandbox: Sandbox) -> None:
        """Learn from the known fix what `apart` needs to know; asked once before it for each suite."""

    def twinned(
        self, text: str, suite: Suite, sandbox: Sandbox, expected: Collection[str]
    ) -> tuple[Report, Mapping[str, str]]:
        """As `run`, with an impossible twin for each expected test; also which test's twin is called what."""


def version(bug: Bug, suite: Suite, runner: Runner) -> str:
    """What a verdict depends on besides the patch and the sandbox: the bug, its tests, how they are run.

    So fresh runs (`reference`) are not answered by kept verdicts of warm ones, which they are there to check.
    """
    parts = (
        VERSION,
        runner.version,
        runner.is_warm,
        bug.buggy,
        bug.fixed,
        bug.failing,
        bug.passing,
        suite.target,
        suite.tests,
    )
    return blake2b(repr((parts, sorted(suite.files.items()))).encode(), digest_size=16).hexdigest()


class Evaluator:
    """Evaluates the patches of one benchmark. Safe to use from several threads at once."""

    def __init__(self) -> None:
        self._isolates: dict[tuple[str, str, str], bool] = {}
        self._known_s: dict[str, float] = {}  # bug id -> time that the tests of the known fix took

    def evaluate(
        self,
        bug: Bug,
        patch: Patch,
        suite: Suite,
        runner: Runner,
        sandbox: Sandbox,
        expected: Callable[[], Collection[str] | Verdict],
    ) -> Verdict:
        """Run a patch's tests. `expected` is asked last for the tests that have to pass, or for why nobody can tell."""
        if patch.text is None:
            return Verdict(Outcome.NO_PATCH, patch.reason)
        if reason := runner.unavailable():
            return Verdict(Outcome.NOT_RUN, reason)
        wanted = expected()
        if isinstance(wanted, Verdict):
            return wanted
        shorter = replace(suite, most_s=max(runner.least_s, TIMES * self._known_s.get(bug.id, math.inf)))
        tried = self._tried(patch.text, shorter, runner, sandbox, wanted)
        if not tried.is_plausible:
            return tried
        if patch.text == bug.fixed and ALL_TESTS in tried.stages:
            self._known_s[bug.id] = tried.stages[ALL_TESTS]
        try:
            accepted = self._accepted(bug, patch.text, suite, runner, sandbox, wanted)
        except SandboxUnavailable as reason:
            return Verdict(Outcome.NOT_RUN, "infra_error", str(reason), sandbox=sandbox.describe())
        log = tried.log if accepted.is_plausible else accepted.log  # without that of twins
        stages = {**tried.stages, "accept": accepted.duration_s}
        return replace(accepted, duration_s=tried.duration_s + accepted.duration_s, log=log, stages=stages)

    def _tried(self, text: str, suite: Suite, runner: Runner, sandbox: Sandbox, wanted: Collection[str]) -> Verdict:
        if runner.is_warm and isinstance(sandbox, Lasting):
            with suppress(SandboxUnavailable):  # a fresh one may start, or its report says why it does not
                tried = verdict(runner.trial(text, suite, sandbox), wanted, sandbox)
                if is_clear(tried):
                    return tried
        return verdict(runner.run(text, suite, sandbox), wanted, sandbox)

    def _accepted(
        self, bug: Bug, text: str, suite: Suite, runner: Runner, sandbox: Sandbox, wanted: Collection[str]
    ) -> Verdict:
        """The verdict of a fresh place on a patch that passed once."""
        is_isolating, known = self._is_isolating(bug, suite, runner, sandbox, wanted)
        if is_isolating and known and text == bug.fixed:
            return replace(known, isolation=Isolation.ISOLATED)  # was run in a fresh place just now
        if is_isolating:
            report = runner.apart(text, suite, sandbox)
            assert report is not None, "it was possible for the known fix"
            judged = replace(verdict(report, wanted, sandbox), isolation=Isolation.ISOLATED)
            return _explained(judged, "passes only in one process with its tests")
        if found := introspection(bug.language, text, bug.buggy):
            reason = f"introspection: {found}"
            return Verdict(Outcome.TEST_FAILED, reason, sandbox=sandbox.describe(), isolation=Isolation.SHARED)
        report, twins = runner.twinned(text, suite, sandbox, wanted)
        judged = verdict(report, wanted, sandbox, twins.values())
        if judged.is_plausible and (alone := sorted({*wanted} - twins.keys())):
            reason = f"nothing shows whether it is forged: {alone[0]} stands in no file that could have its twin"
            return replace(judged, outcome=Outcome.TEST_FAILED, reason=reason)
        if judged.is_plausible and not set(twins.values()) <= report.failed.keys():
            return replace(judged, outcome=Outcome.TEST_FAILED, reason="forged: a test that cannot pass did not fail")
        return _explained(judged, "flaky: passed once and failed once")

    def _is_isolating(
        self, bug: Bug, suite: Suite, runner: Runner, sandbox: Sandbox, wanted: Collection[str]
    ) -> tuple[bool, Verdict | None]:
        """Whether the known fix passes where tests and code exchange plain values only; measured once for each bug.

        Also the verdict where it was measured just now.
        """
        key = (sandbox.describe(), bug.id, version(bug, suite, runner))
        if key in self._isolates:
            return self._isolates[key], None
        runner.prepare(bug.fixed, suite, sandbox)  # two threads may both measure, with the same answer
        report = runner.apart(bug.fixed, suite, sandbox)
        known = None if report is None else verdict(report, wanted, sandbox)
        passes = known is not None and known.is_plausible
        if known is None or known.outcome in (Outcome.PLAUSIBLE, Outcome.TEST_FAILED):  # else it is asked again
            self._isolates[key] = passes
        return passes, known


def is_clear(tried: Verdict) -> bool:
    """Whether a warm run leaves no doubt about how the patch ended; what is odd is run again in a fresh process."""
    if tried.outcome in (Outcome.TEST_FAILED, Outcome.COMPILE_ERROR):
        return not tried.reason
    return tried.outcome in (Outcome.PLAUSIBLE, Outcome.TIMEOUT)


def _explained(judged: Verdict, reason: str) -> Verdict:
    is_bare = judged.outcome is Outcome.TEST_FAILED and not judged.reason
    return replace(judged, reason=reason) if is_bare else judged
