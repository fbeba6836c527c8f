"""Runs the tests of a patched Java class: compiler and JUnit in one JVM, a fresh one or one that stays."""

from __future__ import annotations

import secrets
import struct
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cached_property
from hashlib import sha256
from threading import Lock

from engine.benchmarks.runners.java_tools import PROCESSES, JavaTools, find_jars, find_jdk
from engine.benchmarks.runners.places import Places
from engine.benchmarks.runners.report import Report, Suite, limits_for, read_report, until
from engine.errors import MissingDependency
from engine.sandboxes import Limits, Sandbox
from engine.sandboxes.attend import Job, attend
from engine.sandboxes.place import Lasting, Place


class JavaRunner:
    """Needs a JDK and JUnit 4. The address space is never limited, a JVM reserves far more than it uses."""

    def __init__(self, timeout_s: float, is_warm: bool = True) -> None:
        """`timeout_s`: processor time for all tests of one patch, after compiling; by the clock thrice."""
        self.is_warm = is_warm
        self._limits = limits_for(timeout_s, PROCESSES)
        self._once = Lock()
        self.trials = Places(self._open)  # where patches run

    def unavailable(self) -> str:
        try:
            find_jdk()
            find_jars()
        except MissingDependency as missing:
            return str(missing)
        return ""

    def run(self, text: str, suite: Suite, sandbox: Sandbox) -> Report:
        command, tools = self._command(sandbox, "Harness")
        nonce = secrets.token_hex(16)
        files = {**suite.files, suite.target: encoded(text)}
        ran = sandbox.run(
            [*command, suite.tests, *sources(files)],
            {**files, "nonce": nonce.encode()},
            self._limits,
            tools=tools,
            start=until(nonce, "compiled"),
        )
        return read_report(ran, nonce)

    def trial(self, text: str, suite: Suite, sandbox: Sandbox) -> Report:
        nonce = secrets.token_hex(16)
        files = {**suite.files, suite.target: encoded(text)}
        told: list[bytes] = []

        def hear(line: bytes) -> bool:
            said, _, words = line.partition(b" ")
            if said == nonce.encode():
                word = words.split(b" ")[0]
                told.append(word)
                job.is_over = word == b"end"
            return False

        with self.trials.lend(sandbox) as lent:
            job = Job(lent.place, self._limits, start=until(nonce, "compiled"), hear=hear)
            job.outgoing += asked(nonce, suite.tests, files)
            ended, _ = attend(job)
            # "impure" is said first where it is true, before the patch could say anything.
            is_pure = not any(word == b"impure" for word in told[:2])
            if ended == "exit" and is_pure and job.output.endswith(f"{nonce} end sound\n".encode()):
                lent.keep()
            ran = job.ran(ended)
        return read_report(ran, nonce)

    def apart(self, text: str, suite: Suite, sandbox: Sandbox) -> Report | None:
        return None

    def twinned(
        self, text: str, suite: Suite, sandbox: Sandbox, expected: Collection[str]
    ) -> tuple[Report, Mapping[str, str]]:
        seed = secrets.token_hex(16)
        twins = {test: "twin" + sha256(f"{seed}{test}".encode()).hexdigest()[:16] for test in expected}
        doubled = replace(suite, files={**suite.files, "twins": seed.encode()})
        return self.run(text, doubled, sandbox), twins

    def _open(self, sandbox: Lasting) -> AbstractContextManager[Place]:
        assert isinstance(sandbox, Sandbox)
        command, tools = self._command(sandbox, "Server")
        # Its processor time is that of all its jobs, each of which is watched.
        return sandbox.open(command, {}, Limits(wall_s=3600.0, processes=PROCESSES), tools=tools)

    def _command(self, sandbox: Sandbox, program: str) -> tuple[list[str], dict[str, str]]:
        with self._once:
            return self._tools.command(sandbox, program)

    @cached_property
    def _tools(self) -> JavaTools:
        return JavaTools()


def asked(nonce: str, tests: str, files: Mapping[str, bytes]) -> bytes:
    """A job as `Server.java` reads it: the number of its parts, then each after its length."""
    parts = [nonce.encode(), tests.encode()]
    for path in sources(files):
        parts += [path.encode(), files[path]]
    return struct.pack(">i", len(parts)) + b"".join(struct.pack(">i", len(part)) + part for part in parts)


def sources(files: Mapping[str, bytes]) -> list[str]:
    """The paths of what is to be compiled."""
    return sorted(path for path in files if path.endswith(".java"))


def encoded(text: str) -> bytes:
    """A patched file as it lies in the sandbox; what is no UTF-8 then fails to compile."""
    return text.encode("utf-8", "surrogatepass")
