"""Bugs made by injecting faults into a project with tests of its own, kept where some of these tests notice the fault.

The rule is that of SWE-smith (Yang et al. 2025, arXiv 2504.21798): at least one test that passed now fails, and at
least one still passes. All code runs in the sandbox, on a copy; the project's folder is only read. The bugs are written
as a benchmark too, beside a ledger of all that was tried, from which a later build goes on.
"""

from __future__ import annotations

import os
import shutil
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import ClassVar, Literal

from engine import params
from engine.benchmarks.runners.evaluating import Runner
from engine.benchmarks.runners.java_project import JavaProjectRunner
from engine.benchmarks.runners.project import Project, ProjectRunner
from engine.builders import Funnel
from engine.builders.ledger import Ledger
from engine.builders.mutation import KINDS, Kind
from engine.builders.mutation.choice import Weight, weights_of
from engine.builders.source_files import is_test
from engine.builders.tested.candidates import Called, Fault, Wanted, faults, functions
from engine.builders.tested.java import measured as measured_java
from engine.builders.tested.trials import Tested, Trials
from engine.builders.tested.untouched import Untouched, inside, measured
from engine.builders.tested.writing import PROJECT, bug_of, write_bug, write_project
from engine.domain import Bug, Rows
from engine.errors import UserError
from engine.params import Place, setting
from engine.plugins import SANDBOXES
from engine.run_inputs import Part
from engine.sandboxes import Sandbox
from engine.sandboxes.auto import usable
from engine.temporary import TemporaryFolder

VERSION = 1  # of how faults are tried: raised where the same fault may become another bug
FIELD = "builder.folder"
TIMEOUT_S = 5.0  # most processor time for the tests of one fault, as the benchmark that is made has it
LONGEST_TEST = 2.0  # times what all tests of a fault may take: a test that takes longer is not used
AHEAD = 3  # faults that are tried ahead of the one that is waited for, for each worker
TRIED, KEPT = "Faults tried", "Faults that tests notice"  # titles of the tables of operators
Measure = Callable[[str, float, float, Sandbox], Untouched]
LEDGER = "tested.jsonl"


class NoticedFaults:
    """Injects faults into a project and keeps those that some of its own tests notice, and some do not."""

    name: ClassVar[str] = "tested_faults"
    title: ClassVar[str] = "Tested faults in a project"
    makes: ClassVar[Rows] = "bugs"
    preparing: ClassVar[str] = "running the tests of the untouched project, twice"

    class Params(params.Params):
        """The project, how many bugs are wanted, and which faults are tried."""

        name: Literal["tested_faults"] = "tested_faults"
        folder: Place = setting("", "folder of a project with its own tests: pytest for Python, JUnit 4 for Java")
        language: Literal["python", "java"] = setting("python", "language of the project")
        samples: int = setting(300, "bugs wanted", ge=1, le=1_000_000)
        tests: str = setting(".", "file or folder of the tests, inside the project", more=True, min_length=1)
        out: Place = setting(
            "", "folder for the bugs as a benchmark; empty: beside the dataset", more=True, title="Benchmark folder"
        )
        operators: tuple[Kind, ...] = setting(
            KINDS, "those that are injected", more=True, min_length=1, title="Kinds of fault"
        )
        weights: tuple[Weight, ...] = setting(
            (), 'how often a kind is chosen, such as "comparison=3"; 1 where nothing is said, 0: never', more=True
        )
        faults: int = setting(1, "faults in each faulty function", ge=1, le=5, more=True, title="Faults at once")
        per_function: int = setting(
            30, "most faulty versions of one function to try", ge=1, le=10_000, more=True, title="Most of a function"
        )
        min_lines: int = setting(2, "shorter functions are left out", unit="lines", ge=1, le=10_000, more=True)
        max_lines: int = setting(200, "longer functions are left out", unit="lines", ge=1, le=10_000, more=True)
        budget_s: float = setting(1.0, "for its tests", unit="s", more=True, gt=0, le=60, title="Time for a fault")
        most_s: float = setting(
            300.0,
            f"processor time, on the untouched Python project; in Java each class has {TIMEOUT_S:g}",
            unit="s",
            more=True,
            gt=0,
            le=36_000,
            title="Time for all tests",
        )
        workers: int = setting(
            0, "faults tried at once; 0: as many as there are cores", ge=0, le=256, more=True, title="Tried at once"
        )

    def __init__(self, params: Params) -> None:
        self.params = params
        self._kept: Path | None = None
        self._parts: Sequence[Path] = ()
        self._is_part = False
        self._temporary: TemporaryFolder | None = None

    def check(self) -> None:
        root = self._root()
        if not weights_of(self.params.operators, self.params.weights):
            raise UserError("every kind of fault has weight 0; give one of them more", field="builder.weights")
        if inside(self.params.tests) is None or not (root / self.params.tests).exists():
            raise UserError(
                f"there is no {self.params.tests!r} in {str(root)!r}; name a file or folder of tests inside it",
                field="builder.tests",
            )
        if self.params.out and Path(self.params.out).resolve().is_relative_to(root):
            raise UserError(
                f"{self.params.out!r} is inside the project, which the bugs would become a part of; name a folder "
                "outside it",
                field="builder.out",
            )

    def total(self) -> int:
        return self.params.samples

    def choices(self) -> Mapping[str, Sequence[str]]:
        return {}

    def keep_in(self, folder: Path) -> None:
        self._kept = folder

    def take_over(self, folders: Sequence[Path]) -> None:
        self._parts = folders

    def work_on(self, seed: int, part: Part) -> Iterator[int]:
        """Try every `part.count`th fault, until its share of the bugs is found."""
        self._is_part = True
        trials, called, _ = self._prepared(Funnel())
        noticed = 0
        for _, tested in self._tested(
            islice(faults(called, self._wanted(), seed), part.number - 1, None, part.count), trials
        ):
            noticed += not tested.reason
            yield noticed
            if noticed * part.count >= self.params.samples:
                return

    def stream(self, seed: int, funnel: Funnel) -> Iterator[Bug]:
        """Stream the bugs; if the project has not as many as wanted, the difference is counted in the funnel.

        Raises UserError that says why the project's tests cannot be used or no bug could be made, SandboxUnavailable
        where nothing can be run safely.
        """
        trials, called, folder = self._prepared(funnel)
        tried = faults(called, self._wanted(), seed)
        made = 0
        for fault, tested in self._tested(tried, trials):
            funnel.source += 1
            for kind in fault.kinds:
                funnel.count(TRIED, kind)
            if tested.reason:
                funnel.lose(tested.reason, fault.function.place)
                continue
            for kind in fault.kinds:
                funnel.count(KEPT, kind)
            bug = bug_of(fault, tested, self.params.language, self._root().name)
            write_bug(bug, folder)
            yield bug
            made += 1
            if made == self.params.samples:
                return
        if not made:
            raise UserError(_nothing(funnel), field=FIELD)
        funnel.source += self.params.samples - made
        funnel.lost["asked for, but the project has no more"] = self.params.samples - made

    def _prepared(self, funnel: Funnel) -> tuple[Trials, Sequence[Called], Path]:
        """What is needed to try faults, the functions to try them in, and the folder for the bugs."""
        self.check()
        project = Project.of(self._root(), FIELD)
        if not any(is_test(path) for path in project.files):
            raise UserError(_no_tests(self._root(), self.params.language), field=FIELD)
        runner, measure = self._runner(project)
        folder = self._folder()
        ledger = Ledger(folder / LEDGER, self._about(runner, folder))
        for part in self._parts:
            ledger.take_over(part / LEDGER)
        if not (self._is_part or (folder / PROJECT).exists()):
            write_project(project.files, folder)
        sandbox = usable(SANDBOXES.params("auto"))
        tests = inside(self.params.tests) or "."
        longest_s = LONGEST_TEST * self.params.budget_s
        key = f"untouched {tests} {longest_s:g}"
        if (known := ledger.get(key)) is None:
            known = measure(tests, self.params.most_s, longest_s, sandbox).to_json()
            ledger.put(key, known)
        untouched = Untouched.from_json(known)
        for reason, count in untouched.left_out.items():
            funnel.counts.setdefault("Tests that are not used", {})[reason] = count
        found = []
        for function, reason, where in functions(runner.project.files, untouched.calls, self._wanted()):
            if function is None:
                funnel.source += 1
                funnel.lose(reason, where)
            else:
                found.append(function)
        budget_s = self.params.budget_s
        return Trials(self.params.language, runner, sandbox, untouched, ledger, budget_s), found, folder

    def _runner(self, project: Project) -> tuple[ProjectRunner | JavaProjectRunner, Measure]:
        """What runs the tests, and how they are measured by it. Raises UserError where nothing can run them."""
        runner: ProjectRunner | JavaProjectRunner
        if self.params.language == "java":
            runner = of_java = JavaProjectRunner(project, TIMEOUT_S)
            measure: Measure = partial(measured_java, of_java)
        else:
            runner = of_python = ProjectRunner(project, TIMEOUT_S)
            measure = partial(measured, of_python)
        if reason := runner.unavailable():
            raise UserError(reason)
        return runner, measure

    def _tested(self, tried: Iterator[Fault], trials: Trials) -> Iterator[tuple[Fault, Tested]]:
        """Each fault with what became of it, in order; a few are tried ahead at the same time."""
        workers = self.params.workers or len(os.sched_getaffinity(0))
        pool = ThreadPoolExecutor(workers, "trial")
        waiting: deque[tuple[Fault, Future[Tested]]] = deque()
        try:
            for fault in tried:
                waiting.append((fault, pool.submit(trials.test, fault)))
                if len(waiting) > AHEAD * workers:
                    first, tested = waiting.popleft()
                    yield first, tested.result()
            for first, tested in waiting:
                yield first, tested.result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _wanted(self) -> Wanted:
        settings = self.params
        weights = weights_of(settings.operators, settings.weights)
        lines = (settings.min_lines, settings.max_lines)
        return Wanted(settings.language, weights, settings.faults, settings.per_function, lines)

    def _root(self) -> Path:
        if not self.params.folder:
            raise UserError("no project is named; name the folder of one that has tests", field=FIELD)
        root = Path(self.params.folder)
        if not root.is_dir() or not os.access(root, os.R_OK | os.X_OK):
            what = "may not be read" if root.is_dir() else "is a file" if root.exists() else "does not exist"
            raise UserError(f"the folder {str(root)!r} {what}; name the folder of a project with tests", field=FIELD)
        return root.resolve()

    def _folder(self) -> Path:
        """Where the bugs and the ledger are kept."""
        if self.params.out and not self._is_part:
            return Path(self.params.out)
        if self._kept is None:
            self._temporary = self._temporary or TemporaryFolder("tested")
            self._kept = self._temporary.path / "bugs"
        return self._kept

    def _about(self, runner: Runner, folder: Path) -> str:
        """What the ledger must be about. Raises UserError where a folder that was named holds something else."""
        parts = (VERSION, runner.version, self.params.language)
        about = blake2b(repr(parts).encode(), digest_size=16).hexdigest()
        if folder.exists() and any(folder.iterdir()) and Ledger.about(folder / LEDGER) != about:
            if self.params.out and not self._is_part:
                raise UserError(
                    f"{self.params.out!r} is not empty, and about another project, or other tools; name another folder",
                    field="builder.out",
                )
            shutil.rmtree(folder)
        return about


def _no_tests(root: Path, language: str) -> str:
    names = "*Test.java" if language == "java" else "test_*.py or *_test.py"
    return f"the project {str(root)!r} has no tests: there is no file called {names} in it"


def _nothing(funnel: Funnel) -> str:
    found = [f"{count} {reason} (first: {funnel.examples.get(reason, '')})" for reason, count in funnel.lost.items()]
    return f"no fault could be made that some tests notice: {'; '.join(found) or 'its tests call no function of it'}"
