"""Bugs in folders of their own, in pocket's format: what people collect, and what tested faults are written as.

    NAME/bug.json      language, file, span [first, last], failing, passing; kind, cwe, project where they are known
    NAME/buggy/FILE    the faulty file, and NAME/fixed/FILE the same repaired, different inside the span only
    NAME/tests/        test_*.py or *Test.java, one of them, and what else it needs
                       of C: cases.json, and drivers *.c with a `main`, linked with the file

A C file's tests are the cases of a program: {"test_empty": {"args": ["0"], "stdin": "", "stdout": "none"}, ...}. The
driver passes what the program is given to the function under test, and prints what comes back. It should not know what
is right: it lies beside the patch, and cases.json does not.

The folders may stand in folders, one for each language for example. A bug's id is the benchmark's name and NAME.

Bugs of one larger project share it: `base` in bug.json is the way from NAME to a folder with the whole project, its
tests included. FILE is a path in it and lies there repaired, so such a bug has neither fixed/ nor tests/, and its tests
are named with their files, `tests/test_box.py::TestBox::test_add` or `src/test/java/BoxTest.java::adds` (one file).

Where the repair is not known, bug.json says `"has_known_fix": false` and there is no fixed/: the bug can be worked on
in a chat, and a benchmark run sets it aside, since nothing shows that its tests can pass.

The folders may be a stranger's: only regular files are read, and none through a link.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine import params
from engine.benchmarks import BugEntry, checkout
from engine.benchmarks.runners.c import CRunner, complaints_about_cases
from engine.benchmarks.runners.evaluating import Evaluator, Runner, version
from engine.benchmarks.runners.java import PACKAGE, JavaRunner
from engine.benchmarks.runners.project import Project
from engine.benchmarks.runners.python import PythonRunner
from engine.benchmarks.runners.report import Suite
from engine.benchmarks.runners.settings import Way, timeout_s, way
from engine.benchmarks.shared_projects import SharedProjects, complaints_about_tests
from engine.benchmarks.shown_tests import with_tests
from engine.domain import Bug, Patch, Span, Verdict, lines_of
from engine.errors import UserError
from engine.params import explain, is_unicode, shown
from engine.sandboxes import Sandbox

HOW = "write a folder with bug.json, buggy/, fixed/ and tests/ for each bug"
TESTS = {"python": "test_*.py", "java": "*Test.java", "c": "cases.json"}  # the file of tests, by language
Known = Literal["python", "java", "c"]
MOST_SAID = 10  # wrong bugs in one complaint


class Described(BaseModel):
    """What bug.json says."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    language: Known
    file: str
    span: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=0)]]
    failing: Annotated[tuple[str, ...], Field(min_length=1)]
    passing: tuple[str, ...] = ()
    kind: str = ""
    cwe: str = ""
    project: str = ""
    base: str = ""
    has_known_fix: bool = True


class Folder:
    """Your own bugs with tests, each in a folder of its own."""

    name: ClassVar[str] = "folder"
    title: ClassVar[str] = "A folder of bugs"

    class Params(params.Params):
        """Where the bugs are, which of them, and how long their tests may take."""

        name: Literal["folder"] = "folder"
        folder: params.Place = params.setting("", "Folder of bugs; each has bug.json, buggy/, fixed/ and tests/.")
        languages: tuple[Known, ...] = params.setting(
            ("python", "java", "c"), "Languages whose bugs are used.", min_length=1
        )
        timeout_s: float = timeout_s(5.0)
        runner: Way = way()

    def __init__(self, params: Params) -> None:
        self._params = params
        self._folder = params.folder
        self._evaluator = Evaluator()
        self._runners = runners(params.timeout_s, is_warm=params.runner == "warm")
        self._runners_of: dict[str, Runner] = {}  # bug id -> that of its project, for bugs that share one

    def check(self) -> None:
        self._files()

    def entries(self) -> list[BugEntry]:
        return [
            BugEntry(self._id(folder), told.language, told.kind, told.cwe) for folder, told in self._described().items()
        ]

    def bugs(self) -> list[Bug]:
        return [bug for bug, _ in self.cases.values()]

    def skipped(self) -> Mapping[str, str]:
        reasons = {language: runner.unavailable() for language, runner in self._runners.items()}
        return {bug.id: reasons[bug.language] for bug in self.entries() if reasons[bug.language]}

    def evaluate(self, bug: Bug, patch: Patch, sandbox: Sandbox) -> Verdict:
        _, suite = self.cases[bug.id]
        runner = self._runner(bug)
        return self._evaluator.evaluate(bug, patch, suite, runner, sandbox, lambda: bug.failing + bug.passing)

    def version(self, bug: Bug) -> str:
        return version(bug, self.cases[bug.id][1], self._runner(bug))

    @cached_property
    def cases(self) -> dict[str, tuple[Bug, Suite]]:
        """Bug id -> the bug and its tests. Raises UserError that explains what is wrong with each bug."""
        root = Path(self._folder)
        found, wrong, shared = {}, [], SharedProjects(root)
        for folder, told in self._described().items():
            try:
                project = shared.project(folder, told.base) if told.base else None
            except UserError as error:
                wrong.append(f"{folder.name}: {error}")
                continue
            if complaints := [*complaints_about(folder, root, told, project)]:
                wrong.append(f"{folder.name}: {'; '.join(complaints)}")
                continue
            bug_id = self._id(folder)
            found[bug_id] = _read(bug_id, folder, root, told, project)
            if project:
                is_warm = self._params.runner == "warm"
                self._runners_of[bug_id] = shared.runner(project, told.language, self._params.timeout_s, is_warm)
        _refuse(wrong, self._folder)
        return found

    def _runner(self, bug: Bug) -> Runner:
        return self._runners_of.get(bug.id) or self._runners[bug.language]

    def _described(self) -> dict[Path, Described]:
        """Folder -> what its bug.json says, by language in the order wanted, then by name. Raises UserError."""
        told, wrong = {}, []
        for file in self._files():
            try:
                text = checkout.content(file, Path(self._folder))
                told[file.parent] = Described.model_validate(json.loads(text))
            except OSError as error:
                wrong.append(f"{file.parent.name}/bug.json cannot be read: {error.strerror}")
            except ValidationError as error:
                wrong.append(f"{file.parent.name}/bug.json: {explain(error)}")
            except (ValueError, RecursionError) as error:
                wrong.append(f"{file.parent.name}/bug.json: not JSON: {error}")
        names = Counter(folder.name for folder in told)
        wrong += [f"{name}: {number} folders have this name" for name, number in names.items() if number > 1]
        _refuse(wrong, self._folder)
        wanted = [*dict.fromkeys(self._params.languages)]
        chosen = [(folder, each) for folder, each in told.items() if each.language in wanted]
        return dict(sorted(chosen, key=lambda one: (wanted.index(one[1].language), one[0].name)))

    def _files(self) -> list[Path]:
        return checkout.files(self._folder, ["*/bug.json", "*/*/bug.json"], "folder with bug.json", HOW)

    def _id(self, folder: Path) -> str:
        return f"{self.name}/{folder.name}"


def runners(timeout_s: float, *, is_warm: bool) -> dict[str, Runner]:
    """Language -> what runs its tests."""
    return {
        "python": PythonRunner(timeout_s, is_warm),
        "java": JavaRunner(timeout_s, is_warm),
        "c": CRunner(timeout_s),
    }


def complaints_about(folder: Path, root: Path, told: Described, project: Project | None) -> Iterator[str]:
    """What is wrong with one bug in the folder `root`, a sentence each."""
    file = PurePosixPath(told.file)
    is_a_path = "\0" not in told.file and is_unicode(told.file)
    if not is_a_path or file.is_absolute() or ".." in file.parts or not file.name:
        yield f"file: {shown(told.file)} should be a path inside the bug's folder"
        return
    texts: list[str] = []
    for part in ("buggy", "fixed") if told.has_known_fix else ("buggy", "buggy"):
        try:
            texts.append(_content(folder, root, part, str(file), project).decode("utf-8"))
        except OSError as error:
            yield f"{part}/{file} cannot be read: {error.strerror}"
        except KeyError:
            yield f"file: there is no {shown(told.file)} in its project {told.base}"
        except UnicodeDecodeError as error:
            yield f"{part}/{file} is not UTF-8 (byte {error.start})"
    if project:
        yield from complaints_about_tests(told.failing + told.passing, told.language, project)
    else:
        yield from _complaints_about_its_tests(folder, root, told.language)
    if len(texts) == 2:
        yield from _complaints_about_span(texts[0], texts[1], told.span, told.has_known_fix)
    if both := sorted({*told.failing} & {*told.passing}):
        yield f"{shown(both[0])} stands in failing and in passing"


def _complaints_about_its_tests(folder: Path, root: Path, language: str) -> Iterator[str]:
    try:
        files = _tests(folder, root)
    except OSError as error:
        yield f"tests/{Path(error.filename).name} cannot be read: {error.strerror}"
        return
    called = _with_tests(files, language)
    if len(called) != 1:
        yield f"tests/ should hold one file called {TESTS[language]}, it holds {len(called)}"
    elif language == "c":
        yield from complaints_about_cases(files[called[0]])
        if not any(name.endswith(".c") for name in files):
            yield "tests/ should hold a driver, a C file with main"


def _complaints_about_span(buggy: str, fixed: str, span: tuple[int, int], is_fix_known: bool) -> Iterator[str]:
    first, last = span
    lines = len(lines_of(buggy))
    if last < first - 1 or last > lines or first > lines + 1:
        yield f"span: {first} to {last} are no lines of a file of {lines}; a gap before line 3 is [3, 2]"
    elif not is_fix_known:
        return
    elif buggy == fixed:
        yield "the buggy and the fixed file are the same"
    elif not Bug("", "", "", buggy, fixed, Span(first, last)).fix_is_in_span:
        yield f"span: the fixed file differs from the buggy one outside lines {first} to {last}"


def _refuse(wrong: list[str], folder: str) -> None:
    if wrong:
        more = f"\nand {len(wrong) - MOST_SAID} more" if len(wrong) > MOST_SAID else ""
        said = "\n".join(wrong[:MOST_SAID])
        raise UserError(
            f"{len(wrong)} bugs of {folder} are not as they should be:\n{said}{more}", field="benchmark.folder"
        )


def _read(bug_id: str, folder: Path, root: Path, told: Described, project: Project | None) -> tuple[Bug, Suite]:
    parts = ("buggy", "fixed" if told.has_known_fix else "buggy")
    buggy, fixed = (_content(folder, root, part, told.file, project).decode("utf-8") for part in parts)
    bug = Bug(
        id=bug_id,
        language=told.language,
        path=told.file,
        buggy=buggy,
        fixed=fixed,
        span=Span(*told.span),
        kind=told.kind,
        cwe=told.cwe,
        project=told.project or bug_id,
        failing=told.failing,
        passing=told.passing,
    )
    if project:
        suite = Suite(told.file, "\n".join(sorted(told.failing + told.passing)), {})
        return with_tests(bug, suite, project.files), suite
    files = _tests(folder, root)
    (tests,) = _with_tests(files, told.language)
    suite = Suite(told.file, called(tests, files[tests]), files)
    return with_tests(bug, suite), suite


def _content(folder: Path, root: Path, part: str, file: str, project: Project | None) -> bytes:
    """Of the "buggy" or the "fixed" file. Raises OSError, or KeyError where the project has no such file."""
    if project and part == "fixed":
        return project.files[file]
    return checkout.content(folder / part / file, root)


def _tests(folder: Path, root: Path) -> dict[str, bytes]:
    """Name -> content of each file in tests/; folders there are left out. Raises OSError where one is no file."""
    beside = sorted((folder / "tests").glob("*"))
    return {file.name: checkout.content(file, root) for file in beside if file.is_symlink() or not file.is_dir()}


def _with_tests(files: Collection[str], language: str) -> list[str]:
    return [name for name in files if fnmatchcase(name, TESTS[language])]


def called(name: str, tests: bytes) -> str:
    """A test file as its runner is told of it: a Python file, or a Java class with its package."""
    file = PurePosixPath(name)
    if file.suffix != ".java":
        return name
    package = PACKAGE.search(tests.decode("utf-8", "replace"))
    return f"{package[1]}.{file.stem}" if package else file.stem
