"""Runs some of a Python project's own tests on it with one file changed, in a copy of the project in the sandbox."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from engine.benchmarks.runners.project_files import digest_of, files_of
from engine.benchmarks.runners.python import HERE, PROGRAMS, PythonRunner, encoded
from engine.benchmarks.runners.python_tools import copy_pytest
from engine.benchmarks.runners.report import Report, Suite, read_report, until, within
from engine.benchmarks.runners.twins import function_of, twin_of, with_some_twins
from engine.sandboxes import Limits, Ran, Sandbox
from engine.sandboxes.identity import reachable_parent
from engine.temporary import TemporaryFolder

HARNESS, COMPILER = "project_harness.py", "project_compile.py"
COMPILER_BYTES, COMPILER_S = 2 << 30, 300.0  # memory for compiling a project that may be a stranger's, and time for it


@dataclass(frozen=True)
class Project:
    """A project's files; those of a folder are read once."""

    files: Mapping[str, bytes]

    @classmethod
    def of(cls, folder: Path, field: str = "") -> Project:
        """Raises UserError, with the setting `field`, where the folder holds too much."""
        return cls({path: file.read_bytes() for path, file in files_of(folder, field).items()})

    @cached_property
    def digest(self) -> str:
        return digest_of(self.files)


class ProjectRunner(PythonRunner):
    """Runs tests of a project, which are named with their files, one a line in `Suite.tests`.

    A suite's files are written over the project's. Tests and patched code always share a process, with the project's
    own conftest files; its settings for pytest are not read, since they often ask for plug-ins.
    """

    server = "project_server.py"

    def __init__(self, project: Project, timeout_s: float, is_warm: bool = True) -> None:
        super().__init__(timeout_s, is_warm)
        self.project = project

    @property
    def version(self) -> str:
        return f"{super().version} {self.project.digest}"

    def run(self, text: str, suite: Suite, sandbox: Sandbox, emptied: Collection[str] = ()) -> Report:
        files = {**suite.files, suite.target: encoded(text)}
        ran, nonce = self.ran(suite, files, within(self._limits, suite), sandbox)
        return read_report(ran, nonce)

    def ran(
        self, suite: Suite, files: Mapping[str, bytes], limits: Limits, sandbox: Sandbox, **more: Any
    ) -> tuple[Ran, str]:
        """A fresh run with `files` over the project's, and the nonce of its report. `more`: see the harness."""
        nonce = secrets.token_hex(16)
        told = {
            "nonce": nonce,
            "target": suite.target,
            "tests": suite.tests,
            **more,
            "files": {path: content.decode("latin-1") for path, content in files.items()},
        }
        command, tools = self._command()
        argv = [*command, f"{{library}}/{HARNESS}", "{library}", "{project}"]
        job = {"job": json.dumps(told).encode()}
        return sandbox.run(argv, job, limits, tools=tools, start=until(nonce, "ready")), nonce

    def apart(self, text: str, suite: Suite, sandbox: Sandbox) -> None:
        """Not for a project, whose modules share objects."""

    def twinned(
        self, text: str, suite: Suite, sandbox: Sandbox, expected: Collection[str]
    ) -> tuple[Report, Mapping[str, str]]:
        twinned, twins = self.with_twins(suite)
        files = {**twinned.files, suite.target: encoded(text)}
        # Twins need no rewritten assertions, and rewriting the files that they stand in takes long.
        ran, nonce = self.ran(twinned, files, within(self._limits, suite), sandbox, options=["--assert=plain"])
        return read_report(ran, nonce), {test: twin for test, twin in twins.items() if test in expected}

    def with_twins(self, suite: Suite) -> tuple[Suite, Mapping[str, str]]:
        """The suite with the twins of its tests, and test -> its twin, where it has one."""
        tests = suite.tests.split("\n")
        files, twins = {}, {}
        for path in dict.fromkeys(test.partition("::")[0] for test in tests):
            try:
                functions = {function_of(test) for test in tests if test.startswith(f"{path}::")}
                files[path], names = with_some_twins(self.project.files[path], functions)
            except (KeyError, SyntaxError, ValueError, RecursionError):
                continue
            found = {test: twin_of(test, names) for test in tests if test.partition("::")[0] == path}
            twins.update({test: twin for test, twin in found.items() if twin})
        both = "\n".join([*tests, *twins.values()])
        return replace(suite, tests=both, files={**suite.files, **files}), twins

    def _command(self) -> tuple[list[str], dict[str, str]]:
        command, tools = super()._command()
        with self._once:
            return command, {**tools, "project": str(self._copy.path / "files")}

    @cached_property
    def _library(self) -> TemporaryFolder:
        return copy_pytest(self._python, [*PROGRAMS, *(HERE / name for name in (HARNESS, COMPILER, self.server))])

    @cached_property
    def _copy(self) -> TemporaryFolder:
        """The project where payloads can read it, compiled: a copy in a sandbox would else be compiled every time."""
        folder = TemporaryFolder("project", reachable_parent(), 0o755)
        for path, content in self.project.files.items():
            file = folder.path / "files" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            file.chmod(0o644)
        program = str(self._library.path / COMPILER)
        files = str(folder.path / "files")
        command = [self._python, "-I", "-S", program, str(self._library.path), files, str(COMPILER_BYTES)]
        with suppress(subprocess.TimeoutExpired):  # what is not compiled now is compiled by each copy
            subprocess.run(command, check=False, capture_output=True, timeout=COMPILER_S)
        return folder
