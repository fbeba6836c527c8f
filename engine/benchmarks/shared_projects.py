"""Projects that several bugs of a folder share: each is read once, and has one runner for all of its bugs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.benchmarks.runners.evaluating import Runner
from engine.benchmarks.runners.java_project import JavaProjectRunner
from engine.benchmarks.runners.project import Project, ProjectRunner
from engine.errors import UserError
from engine.params import shown


class SharedProjects:
    """The projects inside one folder of bugs."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._projects: dict[Path, Project] = {}
        self._runners: dict[tuple[int, str], Runner] = {}

    def project(self, bug: Path, base: str) -> Project:
        """The project that `base` names from a bug's folder. Raises UserError where it is none inside the root."""
        try:
            folder = (bug / base).resolve()
        except (OSError, RuntimeError, ValueError):  # too long, links in a circle, no name of a file
            raise UserError(f"base: {shown(base)} leads nowhere") from None
        if not folder.is_relative_to(self._root) or folder == self._root:
            raise UserError(f"base: {shown(base)} should name a folder inside the folder of the bugs")
        if not folder.is_dir():
            raise UserError(f"base: there is no folder {shown(base)}")
        if folder not in self._projects:
            self._projects[folder] = Project.of(folder, "benchmark.folder")
        return self._projects[folder]

    def runner(self, project: Project, language: str, timeout_s: float, is_warm: bool) -> Runner:
        """The same one for each bug of a project and language."""
        key = (id(project), language)
        if key not in self._runners:
            made = JavaProjectRunner if language == "java" else ProjectRunner
            self._runners[key] = made(project, timeout_s, is_warm)
        return self._runners[key]


def complaints_about_tests(tests: Sequence[str], language: str, project: Project) -> Iterator[str]:
    """What is wrong with the names of a bug's tests, a sentence each."""
    for test in tests:
        file, colons, name = test.partition("::")
        if not colons or not name or "\n" in test:
            yield f"{shown(test)} should name a test with its file, as in tests/test_box.py::test_add"
        elif file not in project.files:
            yield f"{shown(test)}: its project has no such file"
    if language == "java" and len({test.partition("::")[0] for test in tests}) > 1:
        yield "the tests of a Java bug should all be in one file"
