"""The files with a bug's tests as text, for those who are told which tests fail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from engine.benchmarks.runners.report import Suite
from engine.domain import Bug

MOST_BYTES = 300_000  # of one file


def with_tests(bug: Bug, suite: Suite, project: Mapping[str, bytes] | None = None) -> Bug:
    """The bug with the files that its suite names; `project`: the other files of the project that it is in."""
    files = {**(project or {}), **suite.files}
    paths = dict.fromkeys(path for line in suite.tests.split("\n") for path in _paths(line, files))
    shown = {path: files[path].decode("utf-8", "replace") for path in paths if len(files[path]) <= MOST_BYTES}
    return replace(bug, tests=tuple(shown.items()))


def _paths(named: str, files: Mapping[str, bytes]) -> Iterator[str]:
    """Of a file, of a test in a file, or of a Java class."""
    head = named.partition("::")[0]
    if head in files:
        yield head
        return
    ending = f"/{head.replace('.', '/')}.java"
    yield from (path for path in files if f"/{path}".endswith(ending))
