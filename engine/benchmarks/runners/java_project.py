"""Runs one class of a Java project's own JUnit tests on the project with one file changed."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from engine.benchmarks.runners.java import PACKAGE, JavaRunner, twin_of
from engine.benchmarks.runners.project import Project
from engine.benchmarks.runners.report import Report, Suite
from engine.sandboxes import Sandbox

NOT_COMPILED = ("module-info.java", "package-info.java")
JUNIT = re.compile(rb"\borg\.junit\.(Test|\*)")


class JavaProjectRunner(JavaRunner):
    """Compiles all sources of a project, which need nothing but the JDK and JUnit 4.

    The tests of a suite are named with their file, `src/test/java/BoxTest.java::adds`, one a line and all of one file.
    Tests and patched code always share a JVM.
    """

    def __init__(self, project: Project, timeout_s: float, is_warm: bool = True) -> None:
        super().__init__(timeout_s, is_warm)
        self.project = project
        self._sources = {
            path: content
            for path, content in project.files.items()
            if path.endswith(".java") and PurePosixPath(path).name not in NOT_COMPILED
        }

    @property
    def version(self) -> str:
        return f"{super().version} {self.project.digest}"

    def run(self, text: str, suite: Suite, sandbox: Sandbox) -> Report:
        return self._named(super().run(text, self._whole(suite), sandbox), suite)

    def trial(self, text: str, suite: Suite, sandbox: Sandbox) -> Report:
        return self._named(super().trial(text, self._whole(suite), sandbox), suite)

    def apart(self, text: str, suite: Suite, sandbox: Sandbox) -> None:
        """Not for a project, whose classes share objects."""

    def prepare(self, known_fix: str, suite: Suite, sandbox: Sandbox) -> None:
        """Nothing is to be known."""

    def twinned(
        self, text: str, suite: Suite, sandbox: Sandbox, expected: Collection[str]
    ) -> tuple[Report, Mapping[str, str]]:
        seed = secrets.token_hex(16)
        twins = {}
        for test in expected:
            file, _, method = test.partition("::")
            twins[test] = f"{file}::{twin_of(method, seed)}"
        return self.run(text, replace(suite, files={**suite.files, "twins": seed.encode()}), sandbox), twins

    def _whole(self, suite: Suite) -> Suite:
        file = suite.tests.partition("::")[0]
        files = {**self._sources, **suite.files}
        return replace(suite, tests=class_of(file, files[file]), files=files)

    def _named(self, report: Report, suite: Suite) -> Report:
        file = suite.tests.partition("::")[0]
        failed = {f"{file}::{name}": text for name, text in report.failed.items()}
        return replace(report, passed=frozenset(f"{file}::{name}" for name in report.passed), failed=failed)


def class_of(path: str, content: bytes) -> str:
    """The class that a file declares, with its package."""
    package = PACKAGE.search(content.decode(errors="replace"))
    name = PurePosixPath(path).stem
    return f"{package[1]}.{name}" if package else name
