"""QuixBugs in Java: the same forty algorithms with JUnit tests, read from a checkout of its repository.

As in Python the known fix is the buggy file with just the differing lines of the correct program taken over.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

from engine import params
from engine.benchmarks import BugEntry, checkout
from engine.benchmarks.cases import Case, Cases
from engine.benchmarks.junit import patient
from engine.benchmarks.measured import Measured
from engine.benchmarks.quixbugs import HOW
from engine.benchmarks.runners.java import JavaRunner
from engine.benchmarks.runners.report import Suite
from engine.benchmarks.runners.settings import Way, timeout_s, way
from engine.benchmarks.transplant import java_code, transplant
from engine.domain import Bug, Verdict, span_of_change
from engine.sandboxes import Sandbox

TESTS = "java_testcases/junit"
BUGGY = "java_programs"
HELPERS = (f"{BUGGY}/Node.java", f"{BUGGY}/WeightedEdge.java", f"{TESTS}/QuixFixOracleHelper.java")
ENDING = "_TEST.java"


class QuixBugsJava(Cases):
    """Forty classic algorithms in Java with a fault of a line or few each, from a copy of QuixBugs on this machine."""

    name: ClassVar[str] = "quixbugs-java"
    title: ClassVar[str] = "QuixBugs, Java (your copy)"

    class Params(params.Params):
        """Where the checkout lies, and how long the tests of one program may take."""

        name: Literal["quixbugs-java"] = "quixbugs-java"
        folder: params.Place = params.setting("", "Folder of a QuixBugs checkout (git clone of jkoppel/QuixBugs).")
        timeout_s: float = timeout_s(20.0)
        runner: Way = way()

    def __init__(self, params: Params) -> None:
        super().__init__(JavaRunner(params.timeout_s, params.runner == "warm"))
        self._folder = params.folder
        self._measured = Measured(self._runner)

    def check(self) -> None:
        self._tests()

    def entries(self) -> list[BugEntry]:
        return [BugEntry(_id(path), "java") for path in self._tests()]

    def _tests(self) -> list[Path]:
        """The test file of each program. Raises UserError where there is none."""
        return checkout.files(self._folder, [f"{TESTS}/*{ENDING}"], "QuixBugs checkout", HOW)

    def _expected(self, bug: Bug, suite: Suite, sandbox: Sandbox) -> Collection[str] | Verdict:
        return self._measured.passing(bug, suite, sandbox)

    @cached_property
    def _cases(self) -> dict[str, Case]:
        return {_id(path): self._read(path) for path in self._tests()}

    def _read(self, tests: Path) -> Case:
        name = tests.name.removesuffix(ENDING)
        path = f"{BUGGY}/{name}.java"
        buggy = (Path(self._folder) / path).read_text(encoding="utf-8")
        correct = (Path(self._folder) / f"correct_java_programs/{name}.java").read_text(encoding="utf-8")
        fixed = transplant(buggy, correct, java_code)
        bug = Bug(
            id=_id(tests),
            language="java",
            path=path,
            buggy=buggy,
            fixed=fixed,
            span=span_of_change(buggy, fixed),
            project=_id(tests),
        )
        helpers = {
            file: Path(self._folder, file).read_bytes() for file in HELPERS if Path(self._folder, file).is_file()
        }
        test = f"{TESTS}/{tests.name}"
        files = {**helpers, test: patient(tests.read_text(encoding="utf-8")).encode()}
        return bug, Suite(path, test.removesuffix(".java").replace("/", "."), files)


def _id(tests: Path) -> str:
    return f"{QuixBugsJava.name}/{tests.name.removesuffix(ENDING)}"
