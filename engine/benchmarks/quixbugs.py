"""QuixBugs: forty classic algorithms with one faulty line each, read from a checkout of its repository (Python).

A correct program of QuixBugs differs from the buggy one in more than the fault, so the known fix here is the buggy file
with only the differing line replaced. The text at the end of each file, which explains the program, is removed from
both: it is not code, and its examples would show the solution to a model.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

from engine import params
from engine.benchmarks import BugEntry, checkout
from engine.benchmarks.cases import Case, Cases
from engine.benchmarks.measured import Measured
from engine.benchmarks.runners.python import PythonRunner
from engine.benchmarks.runners.report import Suite
from engine.benchmarks.runners.settings import Way, timeout_s, way
from engine.benchmarks.transplant import transplant, without_epilogue
from engine.domain import Bug, Verdict, span_of_change
from engine.sandboxes import Sandbox

HOW = "run `git clone https://github.com/jkoppel/QuixBugs`"
IMPORT = "import pytest\n"
# What QuixBugs sets in its conftest.py, which is not used, since a patch could add one too.
SET_UP = "import pytest; pytest.use_correct = pytest.run_slow = False\n"


class QuixBugs(Cases):
    """Forty classic algorithms in Python with a one-line fault each, from a copy of QuixBugs on this machine."""

    name: ClassVar[str] = "quixbugs-python"
    title: ClassVar[str] = "QuixBugs, Python (your copy)"

    class Params(params.Params):
        """The folder of the checkout, and how long the tests of one program may take."""

        name: Literal["quixbugs-python"] = "quixbugs-python"
        folder: params.Place = params.setting("", "Folder of a QuixBugs checkout (git clone of jkoppel/QuixBugs).")
        timeout_s: float = timeout_s(10.0)
        runner: Way = way()

    def __init__(self, params: Params) -> None:
        super().__init__(PythonRunner(params.timeout_s, params.runner == "warm"))
        self._folder = params.folder
        self._measured = Measured(self._runner)

    def check(self) -> None:
        self._tests()

    def entries(self) -> list[BugEntry]:
        return [BugEntry(_id(path), "python") for path in self._tests()]

    def _tests(self) -> list[Path]:
        """The test file of each program. Raises UserError where there is none."""
        return checkout.files(self._folder, ["python_testcases/test_*.py"], "QuixBugs checkout", HOW)

    def _expected(self, bug: Bug, suite: Suite, sandbox: Sandbox) -> Collection[str] | Verdict:
        return self._measured.passing(bug, suite, sandbox)

    @cached_property
    def _cases(self) -> dict[str, Case]:
        return {_id(path): self._read(path) for path in self._tests()}

    def _read(self, tests: Path) -> Case:
        name = tests.stem.removeprefix("test_")
        path = f"python_programs/{name}.py"
        buggy = without_epilogue(Path(self._folder, path).read_text(encoding="utf-8"))
        correct = Path(self._folder, f"correct_python_programs/{name}.py").read_text(encoding="utf-8")
        fixed = transplant(buggy, correct)
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
            if Path(self._folder, extra).is_file():
                files[extra] = Path(self._folder, extra).read_bytes()
        return bug, Suite(path, f"python_testcases/{tests.name}", files)


def _id(tests: Path) -> str:
    return f"{QuixBugs.name}/{tests.stem.removeprefix('test_')}"
