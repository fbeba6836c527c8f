"""Tries one fault: a few quick tests that call the function, twice with the fault, and before that without it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from threading import Lock

from engine.benchmarks.runners.evaluating import Runner
from engine.benchmarks.runners.report import ALL_TESTS, Report, Suite, verdict
from engine.benchmarks.runners.screen import introspection
from engine.builders.ledger import Ledger
from engine.builders.tested.candidates import Called, Fault
from engine.builders.tested.untouched import Untouched
from engine.domain import Outcome
from engine.errors import OutsideFailure
from engine.sandboxes import Sandbox

MOST_TESTS = 40  # for one function
LEAST_TESTS = 5  # others fill up to this
LEAST_OTHERS = 2  # tests that do not call the function, so that some still pass whatever is wrong with it
MOST_FILES = {"python": 3, "java": 1}  # of tests for one function; loading one often takes longer than its tests
TIMES = 10  # the time of the untouched code, after which a faulty one has not ended
ROUNDS = 4  # to find tests that pass without the others
TRIES = 3  # where the sandbox itself fails


@dataclass(frozen=True)
class Tested:
    """What became of a fault: with `reason` it is left out, else each of its tests is in one of the two."""

    reason: str = ""
    failing: tuple[str, ...] = ()
    passing: tuple[str, ...] = ()


class Trials:
    """Safe to use from several threads."""

    def __init__(
        self, language: str, runner: Runner, sandbox: Sandbox, untouched: Untouched, ledger: Ledger, budget_s: float
    ) -> None:
        """`budget_s`: time for the tests of one fault."""
        self._language, self._runner, self._sandbox = language, runner, sandbox
        self._untouched, self._ledger, self._budget_s = untouched, ledger, budget_s
        self._suites: dict[str, Suite | None] = {}
        self._locks: dict[str, Lock] = {}
        self._changing = Lock()

    def test(self, fault: Fault) -> Tested:
        """Try one fault, or say what was found out earlier. Raises OutsideFailure where the sandbox fails."""
        suite = self._suite(fault.function)
        if suite is None:
            return Tested("functions whose tests do not pass without others")
        key = blake2b("\0".join((fault.function.path, fault.text, suite.tests)).encode(), digest_size=16).hexdigest()
        if known := self._ledger.get(key):
            return Tested(known[0], tuple(known[1]), tuple(known[2]))
        tested = self._tested(fault, suite)
        self._ledger.put(key, [tested.reason, tested.failing, tested.passing])
        return tested

    def _tested(self, fault: Fault, suite: Suite) -> Tested:
        tests = suite.tests.split("\n")
        first = self._run(fault.text, suite, tests)
        if isinstance(first, str):
            return Tested(first)
        if len(first) == len(tests):
            return Tested("faults that no test notices")
        if not first:
            return Tested("faults that make every test fail")
        if introspection(self._language, fault.function.text, fault.text):
            return Tested("faults whose repair looks into the process of its tests")
        if self._run(fault.text, suite, tests) != first:
            return Tested("faults that are noticed only sometimes")
        return Tested("", tuple(test for test in tests if test not in first), tuple(sorted(first)))

    def _run(self, text: str, suite: Suite, tests: Collection[str]) -> frozenset[str] | str:
        """The tests that passed, or why that cannot be told."""
        report = self._reported(text, suite)
        ended = verdict(report, tests, self._sandbox)
        if ended.outcome is Outcome.TIMEOUT:
            return "faults that take too long"
        if ended.outcome is Outcome.COMPILE_ERROR:
            return "faults that do not compile"
        if report.ran.ended != "exit" or "done" not in report.words:
            return "faults that end the tests before they are done"
        return report.passed & {*tests}

    def _reported(self, text: str, suite: Suite) -> Report:
        for _ in range(TRIES):
            report = self._runner.trial(text, suite, self._sandbox)
            if "ready" in report.words and report.ran.ended != "not_started":
                return report
        raise OutsideFailure(f"tests could not be run: {report.ran.detail or report.ran.stderr[-300:]!r}")

    def _suite(self, function: Called) -> Suite | None:
        """The tests of a function, measured once; None where none can be used."""
        with self._changing:
            lock = self._locks.setdefault(function.place, Lock())
        with lock:
            if function.place not in self._suites:
                chosen = self._chosen(function)
                key = f"suite {function.path} {blake2b(' '.join(chosen).encode(), digest_size=16).hexdigest()}"
                known = self._ledger.get(key)
                if known is None:
                    known = self._baseline(function, chosen)
                    self._ledger.put(key, known)
                tests, most_s = known
                self._suites[function.place] = Suite(function.path, "\n".join(tests), {}, most_s) if tests else None
            return self._suites[function.place]

    def _chosen(self, function: Called) -> list[str]:
        """Quick tests of few files that call the function, and some more that should not notice."""
        seconds = self._untouched.seconds
        most = MOST_FILES[self._language]
        by_file = Counter(_file(test) for test in function.tests)
        files = {file for file, _ in sorted(by_file.items(), key=lambda each: (-each[1], each[0]))[:most]}
        quickest = sorted((seconds[test], test) for test in function.tests if _file(test) in files)
        chosen: list[str] = []
        left_s = self._budget_s
        for took, test in quickest[:MOST_TESTS]:
            left_s -= took
            if left_s >= 0 or not chosen:
                chosen.append(test)
        others = sorted((took, test) for test, took in seconds.items() if _file(test) in files and test not in chosen)
        callers = {*function.tests}
        others.sort(key=lambda each: each[1] in callers)
        chosen += [test for _, test in others[: max(LEAST_OTHERS, LEAST_TESTS - len(chosen))]]
        return sorted(chosen)

    def _baseline(self, function: Called, chosen: Sequence[str]) -> tuple[list[str], float]:
        """Those that pass on the untouched code without the others; and the processor time that they may take."""
        tests = list(chosen)
        for _ in range(ROUNDS):
            suite = Suite(function.path, "\n".join(tests), {})
            report = self._reported(function.text, suite)
            if "done" not in report.words or report.ran.ended != "exit":
                break
            if report.passed >= {*tests}:
                took = report.stages.get(ALL_TESTS, self._budget_s)
                return tests, max(self._runner.least_s, TIMES * took)
            tests = [test for test in tests if test in report.passed]
            if not {*tests} & {*function.tests}:
                break
        return [], 0.0


def _file(test: str) -> str:
    return test.partition("::")[0]
