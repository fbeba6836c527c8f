"""Runs the tests of a patched Python module with pytest: in a fresh interpreter, or in the child of a warm one."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from threading import Lock
from urllib.parse import unquote_plus

from engine.benchmarks.runners.places import Places
from engine.benchmarks.runners.python_child import child
from engine.benchmarks.runners.python_tools import copy_pytest, find_python, interpreter, pytest_version
from engine.benchmarks.runners.report import PATIENCE, START_S, Report, Suite, limits_for, read_report, until, within
from engine.benchmarks.runners.twins import with_twins
from engine.errors import MissingDependency
from engine.sandboxes import Sandbox, Start
from engine.sandboxes.attend import Job, attend
from engine.sandboxes.place import Lasting, Place
from engine.temporary import TemporaryFolder

HERE = Path(__file__).parent
HARNESS, SERVER, FAR = "python_harness.py", "python_server.py", "python_far.py"
PROGRAMS = [HERE / name for name in (HARNESS, SERVER, FAR, "python_near.py", "plain_values.py", "python_unlike.py")]
STARTED = Start(b"ready", wall_s=PATIENCE * START_S, cpu_s=START_S)


class PythonRunner:
    """Needs pytest beside Repair Studio and an interpreter that the sandbox's user can read."""

    least_s = 1.0
    server = SERVER  # the program that stays in a warm place

    def __init__(self, timeout_s: float, is_warm: bool = True) -> None:
        """`timeout_s`: processor time for the tests of one patch, without pytest's start; by the clock three times."""
        self.is_warm = is_warm
        self._limits = limits_for(timeout_s)
        self._once = Lock()
        # Tests wait while the patched code works and use little themselves.
        self._patient = replace(self._limits, wall_s=self._limits.wall_s + PATIENCE * START_S)
        self.trials = Places(self._open)  # where patches run
        self.judges = Places(self._open)  # where none ever does
        self._rewritten: dict[bytes, dict[str, bytes]] = {}  # tests -> the file that `python_server` told of them

    def unavailable(self) -> str:
        try:
            assert self._python
        except MissingDependency as missing:
            return str(missing)
        return ""

    @property
    def version(self) -> str:
        return f"python {self._python} {sys.version_info[:3]} pytest {pytest_version()} {self._limits}"

    def run(self, text: str, suite: Suite, sandbox: Sandbox, emptied: Collection[str] = ()) -> Report:
        """`emptied`: files of the suite with nothing in them before the patched module is run."""
        nonce = secrets.token_hex(16)
        files = {
            **suite.files,
            suite.target: encoded(text),
            HARNESS: (HERE / HARNESS).read_bytes(),
            "nonce": nonce.encode(),
        }
        command, tools = self._command()
        argv = [*command, HARNESS, suite.target, suite.tests, "{library}", *emptied]
        return read_report(
            sandbox.run(argv, files, within(self._limits, suite), tools=tools, start=until(nonce, "ready")), nonce
        )

    def trial(self, text: str, suite: Suite, sandbox: Sandbox) -> Report:
        nonce = secrets.token_hex(16)
        files = {**suite.files, **self._rewritten.get(_tests(suite), {}), suite.target: encoded(text)}
        with self.trials.lend(sandbox) as lent, child(lent, within(self._limits, suite), nonce, suite, files) as job:
            ended, _ = attend(job)
            if ended == "exit" and lent.has_answered():
                lent.keep()
            ran = job.ran(ended)
        return read_report(ran, nonce)

    def prepare(self, known_fix: str, suite: Suite, sandbox: Sandbox) -> None:
        """Nothing is to be known."""

    def apart(self, text: str, suite: Suite, sandbox: Sandbox) -> Report | None:
        if not isinstance(sandbox, Lasting):
            return None
        nonce = secrets.token_hex(16)
        command, tools = self._command()
        argv = [*command, f"{{library}}/{FAR}", suite.target, "{library}"]
        asks, rewritten = f"{nonce} ask ".encode(), f"{nonce} rewritten ".encode()

        def hear_tests(line: bytes) -> bool:
            if line.startswith(asks):
                patched.outgoing += line.removeprefix(asks) + b"\n"
            elif line.startswith(rewritten):
                path, content = line.removeprefix(rewritten).decode().split(" ")
                self._rewritten[_tests(suite)] = {unquote_plus(path): bytes.fromhex(content)}
            return line.startswith((asks, rewritten))

        def hear_patched(line: bytes) -> bool:
            if line != STARTED.line:
                tests.outgoing += line + b"\n"
            return True

        tests: Job
        opened = sandbox.open(argv, {suite.target: encoded(text)}, self._limits, tools=tools)
        with self.judges.lend(sandbox) as lent, opened as place:
            patched = Job(place, self._limits, start=STARTED, hear=hear_patched)
            patched.at_death = lambda: tests.outgoing.extend(b"\n")
            with child(lent, self._patient, nonce, suite, suite.files, hear=hear_tests, is_remote=True) as tests:
                ended, whose = attend(tests, patched)
                if ended == "exit" and lent.has_answered():
                    lent.keep()
                ran = tests.ran("not_started" if ended == "died" and whose is tests else ended)
        return read_report(ran, nonce)

    def twinned(
        self, text: str, suite: Suite, sandbox: Sandbox, expected: Collection[str]
    ) -> tuple[Report, Mapping[str, str]]:
        doubled, twins = with_twins(suite, expected)
        return self.run(text, doubled, sandbox, [suite.tests]), twins

    def _open(self, sandbox: Lasting) -> AbstractContextManager[Place]:
        command, tools = self._command()
        argv = [*command, f"{{library}}/{self.server}", *(f"{{{name}}}" for name in tools if name != "python")]
        return sandbox.open(argv, {}, self._limits, tools=tools)

    def _command(self) -> tuple[list[str], dict[str, str]]:
        """The interpreter with its flags, and the tools that a sandbox must open for it."""
        with self._once:
            library = self._library
        command, tools = interpreter(self._python)
        return command, {"library": str(library.path), **tools}

    @cached_property
    def _python(self) -> str:
        return find_python()

    @cached_property
    def _library(self) -> TemporaryFolder:
        return copy_pytest(self._python, PROGRAMS)


def _tests(suite: Suite) -> bytes:
    return suite.files.get(suite.tests, b"")  # nothing where the tests are the patch


def encoded(text: str) -> bytes:
    """A patched file as it lies in the sandbox; what is no UTF-8 then fails to compile."""
    return text.encode("utf-8", "surrogatepass")
