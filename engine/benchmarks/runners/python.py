"""Runs the tests of a patched Python module: pytest on its tests, in a fresh interpreter inside the sandbox."""

from __future__ import annotations

import os
import secrets
import sys
from functools import cached_property
from pathlib import Path
from threading import Lock

from engine.benchmarks.runners.python_tools import copy_pytest, find_python
from engine.benchmarks.runners.report import Report, Suite, limits_for, read_report, until
from engine.errors import MissingDependency
from engine.sandboxes import Sandbox
from engine.temporary import TemporaryFolder

HARNESS = "harness.py"


class PythonRunner:
    """Needs pytest beside Repair Studio and an interpreter that the sandbox's user can read."""

    def __init__(self, timeout_s: float) -> None:
        """`timeout_s`: processor time for the tests of one patch, without pytest's start; by the clock three times."""
        self._limits = limits_for(timeout_s)
        self._once = Lock()

    def unavailable(self) -> str:
        try:
            assert self._python
        except MissingDependency as missing:
            return str(missing)
        return ""

    def run(self, text: str, suite: Suite, sandbox: Sandbox) -> Report:
        with self._once:
            library = self._library
        nonce = secrets.token_hex(16)
        files = {
            **suite.files,
            suite.target: text.encode("utf-8", "surrogatepass"),  # what is no UTF-8 then fails to compile
            HARNESS: Path(__file__).with_name("python_harness.py").read_bytes(),
            "nonce": nonce.encode(),
        }
        outside = {"library": str(library.path)}
        python = self._python
        if not python.startswith("/usr/"):
            outside["python"] = sys.base_prefix
            python = f"{{python}}/{os.path.relpath(python, os.path.realpath(sys.base_prefix))}"
        # A fixed hash seed: the same patch must meet the same order of sets every time.
        argv = ["/usr/bin/env", "PYTHONHASHSEED=0", python, "-s", "-P", "-B", "-S", HARNESS]
        argv += [suite.target, suite.tests, "{library}"]
        return read_report(sandbox.run(argv, files, self._limits, tools=outside, start=until(nonce, "ready")), nonce)

    @cached_property
    def _python(self) -> str:
        return find_python()

    @cached_property
    def _library(self) -> TemporaryFolder:
        return copy_pytest(self._python)
