"""Tests to be written for a method (as Methods2Test, arXiv 2203.12776, asks for them), judged by running them.

A bug of a folder in pocket's format is the task: the model sees the correct code, and its file of tests has to compile,
to pass on the correct code and to fail on the faulty one. The folder's own tests are the known answer, a test without
an assertion the one that must not count. Python tests that could read the code's text do not count either; compiled
Java classes cannot be read where they run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import ClassVar, Literal

from engine import params
from engine.benchmarks import BugEntry
from engine.benchmarks.pocket import Pocket
from engine.benchmarks.runners.evaluating import Runner, is_clear, version
from engine.benchmarks.runners.java import JavaRunner
from engine.benchmarks.runners.python import PythonRunner
from engine.benchmarks.runners.report import Report, Suite, verdict
from engine.benchmarks.runners.screen import introspection
from engine.benchmarks.runners.screen_python import names_of
from engine.benchmarks.runners.settings import Way, timeout_s, way
from engine.domain import Bug, Outcome, Patch, Span, Verdict, lines_of
from engine.errors import SandboxUnavailable
from engine.languages import language
from engine.languages.source import source
from engine.sandboxes import Sandbox
from engine.sandboxes.place import Lasting
from engine.task import Task

PASSES, FAILS = "passes on the correct code", "fails on the faulty code"
TESTING = {
    "pytest": "approx fail fixture mark param raises",
    "unittest": "TestCase main mock",
    "unittest.mock": "ANY MagicMock Mock call",
}
EMPTY, MISSES = "it holds no test", "it passes on the faulty code too"
NOTHING = {
    "python": "def test_nothing():\n    pass\n",
    "java": "public class {name} {{\n    @org.junit.Test\n    public void nothing() {{}}\n}}\n",
}


class TestsForMethods:
    """Tests to be written; each is run on correct and on faulty code. From pocket, or from a folder of bugs."""

    __test__ = False  # no tests of ours, whatever its name says to pytest
    name: ClassVar[str] = "tests-for-methods"
    title: ClassVar[str] = "Tests for methods"

    class Params(params.Params):
        """For which bugs' methods, and what of them is shown."""

        name: Literal["tests-for-methods"] = "tests-for-methods"
        folder: params.Place = params.setting("", "Folder of bugs in pocket's format; empty: pocket's own.")
        languages: tuple[Literal["python", "java"], ...] = params.setting(
            ("python", "java"), "Languages whose bugs are used.", min_length=1
        )
        context: Literal["method", "file"] = params.setting("file", "What of the correct code a model sees.")
        timeout_s: float = timeout_s(5.0)
        runner: Way = way()

    def __init__(self, params: Params) -> None:
        self._context = params.context
        self._source = Pocket(
            Pocket.Params(folder=params.folder, languages=params.languages, timeout_s=params.timeout_s)
        )
        self._runners: dict[str, Runner] = {
            "python": PythonRunner(params.timeout_s, params.runner == "warm"),
            "java": JavaRunner(params.timeout_s, params.runner == "warm"),
        }

    def check(self) -> None:
        self._source.check()

    def entries(self) -> list[BugEntry]:
        return [replace(one, id=_id(one.id)) for one in self._source.entries()]

    def bugs(self) -> list[Bug]:
        return [bug for bug, _, _ in self._cases.values()]

    def skipped(self) -> Mapping[str, str]:
        return {_id(bug_id): reason for bug_id, reason in self._source.skipped().items()}

    def evaluate(self, bug: Bug, patch: Patch, sandbox: Sandbox) -> Verdict:
        """Plausible: it passes on the correct code and fails on the faulty one; else `failed` says what it does not."""
        if patch.text is None:
            return Verdict(Outcome.NO_PATCH, patch.reason)
        runner = self._runners[bug.language]
        if reason := runner.unavailable():
            return Verdict(Outcome.NOT_RUN, reason)
        if runner.is_warm and isinstance(sandbox, Lasting):
            with suppress(SandboxUnavailable):
                tried = self._judged(bug, patch.text, runner.trial, sandbox)
                if not tried.is_plausible and (is_clear(tried) or tried.reason in (EMPTY, MISSES)):
                    return tried
        return self._judged(bug, patch.text, runner.run, sandbox)

    def version(self, bug: Bug) -> str:
        _, of_bug, suite = self._cases[bug.id]
        return version(of_bug, suite, self._runners[bug.language])

    def _judged(self, bug: Bug, text: str, run: Callable[[str, Suite, Sandbox], Report], sandbox: Sandbox) -> Verdict:
        bug, of_bug, suite = self._cases[bug.id]
        good = run(text, _with(suite, of_bug.path, of_bug.fixed), sandbox)
        said = verdict(good, good.passed, sandbox)
        if not said.is_plausible or good.failed:
            if said.outcome in (Outcome.COMPILE_ERROR, Outcome.NOT_RUN):
                return said
            is_empty = "done" in good.words and not good.failed and not good.passed
            why = EMPTY if is_empty else said.reason
            outcome = Outcome.TEST_FAILED if said.is_plausible else said.outcome
            return replace(said, outcome=outcome, reason=why, failed=(PASSES, FAILS))
        bad = run(text, _with(suite, of_bug.path, of_bug.buggy), sandbox)
        took_s = said.duration_s + bad.ran.wall_s
        if bad.ran.ended == "not_started" or "ready" not in bad.words:
            return replace(verdict(bad, good.passed, sandbox), duration_s=took_s)
        if _has_found(bad, good):
            said = replace(said, log="", duration_s=took_s)
            if bug.language == "python" and (reads := introspection("python", text, bug.fixed, _of_tests(of_bug))):
                reason = f"introspection: {reads}"
                return replace(said, outcome=Outcome.TEST_FAILED, reason=reason, failed=(FAILS,))
            return said
        return replace(
            said,
            outcome=Outcome.TEST_FAILED,
            reason=MISSES,
            failed=(FAILS,),
            duration_s=took_s,
        )

    def figures(self, verdicts: Mapping[str, Verdict]) -> dict[str, dict[str, float]]:
        """Language -> tests written, and the shares that compile, pass on the correct code, and find the fault."""
        found: dict[str, Counter[str]] = {}
        for bug_id, said in verdicts.items():
            if said.outcome is not Outcome.NOT_RUN:
                sums = found.setdefault(self._cases[bug_id][0].language, Counter())
                sums["tests"] += 1
                sums["compile"] += said.outcome not in (Outcome.COMPILE_ERROR, Outcome.NO_PATCH)
                sums["pass"] += said.is_plausible or said.failed == (FAILS,)
                sums["find_the_fault"] += said.is_plausible
        shares = ("compile", "pass", "find_the_fault")
        return {
            name: {"tests": sums["tests"], **{share: sums[share] / sums["tests"] for share in shares}}
            for name, sums in found.items()
        }

    @cached_property
    def _cases(self) -> dict[str, tuple[Bug, Bug, Suite]]:
        """Bug id -> the tests to be written as a bug, the bug that they are for, and what lies beside them."""
        made = (self._made(bug, suite) for bug, suite in self._source.cases.values())
        return {bug.id: (bug, of_bug, suite) for bug, of_bug, suite in made}

    def _made(self, of_bug: Bug, suite: Suite) -> tuple[Bug, Bug, Suite]:
        path = suite.tests if of_bug.language == "python" else f"{suite.tests.rpartition('.')[2]}.java"
        known = suite.files[path].decode("utf-8")
        code = _shown(of_bug, self._context)
        marker = language(of_bug.language).marker
        told = "".join(f"{marker} {line}\n" for line in (f"tests for {of_bug.path}:", *code.splitlines()))
        nothing = NOTHING[of_bug.language].format(name=path.removesuffix(".java"))
        first = len(lines_of(told)) + 1
        bug_id = _id(of_bug.id)
        bug = Bug(
            id=bug_id,
            language=of_bug.language,
            path=path,
            buggy=told + nothing,
            fixed=told + known,
            span=Span(first, first + len(lines_of(nothing)) - 1),
            kind=of_bug.kind,
            cwe=of_bug.cwe,
            project=bug_id if of_bug.project == of_bug.id else of_bug.project,
            failing=(PASSES, FAILS),
            task=Task(f"{code}\n", ("\n```",)),
        )
        files = {name: content for name, content in suite.files.items() if name != path}
        return bug, of_bug, Suite(path, suite.tests, files)


def _of_tests(of_bug: Bug) -> dict[str, str]:
    """Modules that tests may use, which are no program's: what reads the code's text could tell it without a call."""
    module = of_bug.path.removesuffix(".py").replace("/", ".")
    return {**TESTING, module: " ".join(names_of(of_bug.fixed))}


def _id(bug_id: str) -> str:
    return f"{TestsForMethods.name}/{bug_id.partition('/')[2]}"


def _shown(bug: Bug, context: str) -> str:
    """The correct code as the model sees it: the file, or the function that has the fault in the other one."""
    if context == "method":
        read = source(bug.fixed, bug.language)
        after = len(lines_of(bug.buggy)) - bug.span.end
        place = read.enclosing(Span(bug.span.start, len(read.lines) - after))
        if place:
            return "".join(read.lines[place.start - 1 : place.end])
    return bug.fixed


def _with(suite: Suite, path: str, code: str) -> Suite:
    return replace(suite, files={**suite.files, path: code.encode("utf-8")})


def _has_found(bad: Report, good: Report) -> bool:
    """Whether the tests tell the faulty code: one fails, or does not come to its end. That it compiles is no doubt."""
    return "compiled" in bad.words and (bool(bad.failed) or not good.passed <= bad.passed or bad.ran.ended != "exit")
