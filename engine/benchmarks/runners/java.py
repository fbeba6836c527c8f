"""Runs the tests of a patched Java class: compiler and JUnit in one JVM inside the sandbox."""

from __future__ import annotations

import secrets
from functools import cached_property
from threading import Lock

from engine.benchmarks.runners.java_tools import PROCESSES, JavaTools, find_jars, find_jdk
from engine.benchmarks.runners.report import Report, Suite, limits_for, read_report, until
from engine.errors import MissingDependency
from engine.sandboxes import Sandbox


class JavaRunner:
    """Needs a JDK and JUnit 4. The address space is never limited, a JVM reserves far more than it uses."""

    def __init__(self, timeout_s: float) -> None:
        """`timeout_s`: processor time for all tests of one patch, after compiling; three times that by the clock."""
        self._limits = limits_for(timeout_s, PROCESSES)
        self._once = Lock()

    def unavailable(self) -> str:
        try:
            find_jdk()
            find_jars()
        except MissingDependency as missing:
            return str(missing)
        return ""

    def run(self, text: str, suite: Suite, sandbox: Sandbox) -> Report:
        with self._once:
            command, tools = self._tools.command(sandbox)
        nonce = secrets.token_hex(16)
        files = {**suite.files, suite.target: text.encode("utf-8", "surrogatepass")}
        sources = sorted(path for path in files if path.endswith(".java"))
        ran = sandbox.run(
            [*command, suite.tests, *sources],
            {**files, "nonce": nonce.encode()},
            self._limits,
            tools=tools,
            start=until(nonce, "compiled"),
        )
        return read_report(ran, nonce)

    @cached_property
    def _tools(self) -> JavaTools:
        return JavaTools()
