"""Reads a log with every tool's reader; the table of the tools."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.failures import (
    Complaint,
    Failed,
    Found,
    ant,
    cases,
    defects4j_log,
    gcc,
    gradle,
    javac,
    junit,
    maven,
    pytest_log,
    python_compile,
    unittest_log,
)
from engine.failures.cleaning import cleaned

# A build tool's log also holds those of the tools that it starts, so the build tools are asked before them.
COMPILERS: dict[str, Callable[[Sequence[str]], list[Complaint]]] = {
    "javac": javac.read,
    "gcc": gcc.read,
    "python": python_compile.read,
}
TESTS: dict[str, Callable[[Sequence[str]], list[Failed]]] = {
    "defects4j": defects4j_log.read,
    "maven": maven.read,
    "gradle": gradle.read,
    "ant": ant.read,
    "pytest": pytest_log.read,
    "unittest": unittest_log.read,
    "cases": cases.read,
    "junit": junit.read,
}


def read(log: str) -> Found:
    """What the first tool that knows the log reads out of it; never raises, in time linear in the log's length."""
    lines = cleaned(log)
    complaints = next(filter(None, (tool(lines) for tool in COMPILERS.values())), [])
    failed = next(filter(None, (tool(lines) for tool in TESTS.values())), [])
    return Found(tuple(complaints), tuple(failed), tuple(lines))
