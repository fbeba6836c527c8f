"""QuixBugs: forty classic algorithms with one faulty line each, read from a checkout of its repository (Python).

A correct program of QuixBugs differs from the buggy one in much more than the fault, so the known fix here is the
buggy file with just the differing line taken over. The text at the end of each file that explains the program is
left out of both: it is no code, and a model would read the answer's examples in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

from engine import params
from engine.benchmarks import Listed
from engine.benchmarks.runners.evaluating import Evaluator, version
from engine.benchmarks.runners.python import PythonRunner
from engine.benchmarks.runners.report import Suite, verdict
from engine.benchmarks.runners.settings import Way, timeout_s, way
from engine.benchmarks.transplant import transplanted, without_epilogue
from engine.domain import Bug, Outcome, Patch, Verdict, span_of_change
from engine.errors import UserError
from engine.sandboxes import Sandbox

IMPORT = "import pytest\n"
# What QuixBugs sets in its conftest.py, which is not used: a patch could plant one too.
SET_UP = "import pytest; pytest.use_correct = pytest.run_slow = False\n"


class QuixBugs:
    """Forty classic algorithms in Python with a one-line fault each, from a copy of QuixBugs on this machine."""

    name: ClassVar[str] = "quixbugs"
    title: ClassVar[str] = "QuixBugs (your copy)"

    class Params(params.Params):
        """Where the checkout lies, and how long the tests of one program may take."""

        name: Literal["quixbugs"] = "quixbugs"
        folder: params.Place = params.setting("", "Folder of a QuixBugs checkout (git clone of jkoppel/QuixBugs).")
        timeout_s: float = timeout_s(10.0)
        runner: Way = way()

    def __init__(self, params: Params) -> None:
        self._folder = Path(params.folder)
        self._is_named = bool(params.folder)
        self._runner = PythonRunner(params.timeout_s, params.runner == "warm")
        self._evaluator = Evaluator()
        self._expected: dict[str, frozenset[str]] = {}

    def check(self) -> None:
        self._tests()

    def listed(self) -> list[Listed]:
        return [Listed(_id(path), "python") for path in self._tests()]

    def bugs(self) -> list[Bug]:
        return [bug for bug, _ in self._cases.values()]

    def skipped(self) -> Mapping[str, str]:
        reason = self._runner.unavailable()
        return {bug.id: reason for bug in self.listed()} if reason else {}

    def evaluate(self, bug: Bug, patch: Patch, sandbox: Sandbox) -> Verdict:
        _, suite = self._cases[bug.id]
        return self._evaluator.evaluate(
            bug, patch, suite, self._runner, sandbox, lambda: self._passing(bug, suite, sandbox)
        )

    def version(self, bug: Bug) -> str:
        return version(bug, self._cases[bug.id][1], self._runner)

    def _passing(self, bug: Bug, suite: Suite, sandbox: Sandbox) -> frozenset[str] | Verdict:
        """The tests that the known fix passes here, measured once."""
        if bug.id not in self._expected:  # two threads may both measure, with the same answer
            known = self._runner.run(bug.fixed, suite, sandbox)
            checked = verdict(known, known.passed, sandbox)
            if not checked.is_plausible or known.failed:
                return Verdict(Outcome.NOT_RUN, f"the known fix does not pass here: {checked.outcome}", checked.log)
            self._expected[bug.id] = known.passed
        return self._expected[bug.id]

    def _tests(self) -> list[Path]:
        """The test file of each program. Raises UserError where there is none."""
        tests = sorted((self._folder / "python_testcases").glob("test_*.py")) if self._is_named else []
        if not tests:
            where = f"no QuixBugs checkout in {self._folder}" if self._is_named else "no folder is named"
            raise UserError(
                f"{where}; run `git clone https://github.com/jkoppel/QuixBugs` and give its folder",
                field="benchmark.folder",
            )
        return tests

    @cached_property
    def _cases(self) -> dict[str, tuple[Bug, Suite]]:
        return {_id(path): self._read(path) for path in self._tests()}

    def _read(self, tests: Path) -> tuple[Bug, Suite]:
        name = tests.stem.removeprefix("test_")
        path = f"python_programs/{name}.py"
        buggy = without_epilogue((self._folder / path).read_text(encoding="utf-8"))
        correct = (self._folder / f"correct_python_programs/{name}.py").read_text(encoding="utf-8")
        fixed = transplanted(buggy, correct)
        bug = Bug(
            id=_id(tests),
            language="python",
            path=path,
            buggy=buggy,
            fixed=fixed,
            span=span_of_change(buggy, fixed),
            project=_id(tests),
        )
        text = tests.read_text(encoding="utf-8")
        assert text.startswith(IMPORT), f"{tests.name} does not begin as expected"
        files = {f"python_testcases/{tests.name}": text.replace(IMPORT, SET_UP, 1).encode()}
        for extra in ("python_testcases/load_testdata.py", "python_testcases/node.py", f"json_testcases/{name}.json"):
            if (self._folder / extra).is_file():
                files[extra] = (self._folder / extra).read_bytes()
        return bug, Suite(path, f"python_testcases/{tests.name}", files)


def _id(tests: Path) -> str:
    return f"quixbugs/{tests.stem.removeprefix('test_')}"
