"""Runs the tests of a patched Java class: compiler and JUnit in one JVM, a fresh one or one that stays."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cached_property
from hashlib import blake2b, sha256
from pathlib import PurePosixPath
from threading import Lock

from engine.benchmarks.runners.java_job import STARTED, ServerJob, encoded, sources
from engine.benchmarks.runners.java_tools import FLAGS, PROCESSES, JavaTools, find_jars, find_jdk, release_of
from engine.benchmarks.runners.places import Places
from engine.benchmarks.runners.report import PATIENCE, START_S, Report, Suite, limits_for, read_report, until, within
from engine.errors import MissingDependency
from engine.sandboxes import Limits, Sandbox
from engine.sandboxes.attend import Job
from engine.sandboxes.place import Lasting, Place

PACKAGE = re.compile(r"^\s*package\s+([\w.]+)\s*;", re.MULTILINE)


class JavaRunner:
    """Needs a JDK and JUnit 4. The address space is never limited, a JVM reserves far more than it uses."""

    least_s = 8.0  # a JVM that has just started compiles its own code meanwhile

    def __init__(self, timeout_s: float, is_warm: bool = True) -> None:
        """`timeout_s`: processor time for all tests of one patch, after compiling; three times that by the clock."""
        self.is_warm = is_warm
        self._limits = limits_for(timeout_s, PROCESSES)
        self._once = Lock()
        # Tests wait while the patched code works and use little themselves.
        self._patient = replace(self._limits, wall_s=self._limits.wall_s + PATIENCE * START_S)
        self.trials = Places(self._open)  # where patches run
        self.judges = Places(self._open)  # where none ever does
        self._stubs: dict[bytes, tuple[str, bytes]] = {}  # suite -> class, stub; empty: more than plain values needed

    def unavailable(self) -> str:
        try:
            find_jdk()
            find_jars()
        except MissingDependency as missing:
            return str(missing)
        return ""

    @property
    def version(self) -> str:
        home = find_jdk()
        return f"java {home} {release_of(home)} {find_jars()} {FLAGS} {self._limits}"

    def run(self, text: str, suite: Suite, sandbox: Sandbox) -> Report:
        command, tools = self._command(sandbox, "Harness")
        nonce = secrets.token_hex(16)
        files = {**suite.files, suite.target: encoded(text)}
        ran = sandbox.run(
            [*command, suite.tests, *sources(files)],
            {**files, "nonce": nonce.encode()},
            within(self._limits, suite),
            tools=tools,
            start=until(nonce, "compiled"),
        )
        return read_report(ran, nonce)

    def trial(self, text: str, suite: Suite, sandbox: Sandbox) -> Report:
        files = {**suite.files, suite.target: encoded(text)}
        with self.trials.lend(sandbox) as lent:
            return ServerJob(lent, within(self._limits, suite), "test", suite.tests, files).report()

    def apart(self, text: str, suite: Suite, sandbox: Sandbox) -> Report | None:
        name, stub = self._stubs.get(blake2b(repr(suite).encode()).digest(), ("", b""))
        is_possible = stub and isinstance(sandbox, Lasting)
        return self._apart(text, name, stub, suite, sandbox) if is_possible else None

    def prepare(self, known_fix: str, suite: Suite, sandbox: Sandbox) -> None:
        if not isinstance(sandbox, Lasting):
            return
        key, name = blake2b(repr(suite).encode()).digest(), class_name(suite.target, known_fix)
        with self.judges.lend(sandbox) as lent:
            job = ServerJob(lent, self._limits, "stub", name, {suite.target: encoded(known_fix)})
            job.report()
        self._stubs[key] = name, job.made.get("stub", b"")

    def _apart(self, text: str, name: str, stub: bytes, suite: Suite, sandbox: Sandbox) -> Report:
        assert isinstance(sandbox, Lasting)
        with self.judges.lend(sandbox) as lent:
            compiled = ServerJob(lent, self._limits, "classes", "", {suite.target: encoded(text)})
            report = compiled.report()
            if "compiled" not in report.words or not lent.is_kept:
                return report
            classes = {f"{made.replace('.', '/')}.class": content for made, content in compiled.made.items()}
            command, tools = self._command(sandbox, "Far", ".")
            argv = [*command, name]
            lent.is_kept = False
            with sandbox.open(argv, classes, self._limits, tools=tools) as place:
                tests = ServerJob(lent, self._patient, "ask", suite.tests, {**suite.files, suite.target: stub})
                return tests.report(tests.asking(Job(place, self._limits, start=STARTED)))

    def twinned(
        self, text: str, suite: Suite, sandbox: Sandbox, expected: Collection[str]
    ) -> tuple[Report, Mapping[str, str]]:
        seed = secrets.token_hex(16)
        twins = {test: twin_of(test, seed) for test in expected}
        doubled = replace(suite, files={**suite.files, "twins": seed.encode()})
        return self.run(text, doubled, sandbox), twins

    def _open(self, sandbox: Lasting) -> AbstractContextManager[Place]:
        assert isinstance(sandbox, Sandbox)
        command, tools = self._command(sandbox, "Server")
        # Its processor time is that of all its jobs, each of which is watched.
        return sandbox.open(command, {}, Limits(wall_s=3600.0, processes=PROCESSES), tools=tools)

    def _command(self, sandbox: Sandbox, program: str, *more: str) -> tuple[list[str], dict[str, str]]:
        with self._once:
            return self._tools.command(sandbox, program, *more)

    @cached_property
    def _tools(self) -> JavaTools:
        return JavaTools()


def twin_of(test: str, seed: str) -> str:
    """How `Twins.java` calls the twin of a method."""
    return test + "".join(chr(ord("a") + byte % 26) for byte in sha256(f"{seed}{test}".encode()).digest()[:8])


def class_name(target: str, text: str) -> str:
    """The class that a file of this path and text declares; the folders above its package do not count."""
    package = PACKAGE.search(text)
    name = PurePosixPath(target).stem
    return f"{package[1]}.{name}" if package else name
