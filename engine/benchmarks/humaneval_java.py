"""HumanEval-Java: HumanEval in Java with injected faults (Jiang et al., arXiv 2302.05020), from a checkout.

Tests call `humaneval.buggy.NAME`, so the known fix is the file of the same name in `correct` under that package. Some
programs use classes that stand in other programs' files: what a patched file names is compiled with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

from engine import params
from engine.benchmarks import BugEntry, checkout
from engine.benchmarks.junit import patient
from engine.benchmarks.measured import Measured
from engine.benchmarks.runners.java import JavaRunner
from engine.benchmarks.runners.report import Suite
from engine.benchmarks.runners.settings import Way, timeout_s, way
from engine.benchmarks.shown_tests import with_tests
from engine.domain import Bug, Patch, Span, Verdict, span_of_change
from engine.sandboxes import Sandbox

TESTS = "src/test/java/humaneval"
BUGGY = "src/main/java/humaneval/buggy"
CORRECT = "src/main/java/humaneval/correct"
HOW = "run `git clone https://github.com/ASSERT-KTH/human-eval-java`"
NAME = re.compile(r"TEST_(\w+)\.java")
DECLARED = re.compile(r"\b(?:class|interface|enum|record)\s+(\w+)")
WORD = re.compile(r"\b[A-Za-z_]\w*")


class HumanEvalJava:
    """Some 160 Java programs with an injected fault each, from a copy of human-eval-java on this machine."""

    name: ClassVar[str] = "humaneval-java"
    title: ClassVar[str] = "HumanEval-Java (your copy)"

    class Params(params.Params):
        """Where the checkout lies, and how long the tests of one program may take."""

        name: Literal["humaneval-java"] = "humaneval-java"
        folder: params.Place = params.setting("", "Folder of a checkout (git clone of ASSERT-KTH/human-eval-java).")
        timeout_s: float = timeout_s(20.0)
        runner: Way = way()

    def __init__(self, params: Params) -> None:
        self._folder = params.folder
        self._runner = JavaRunner(params.timeout_s, params.runner == "warm")
        self._measured = Measured(self._runner)

    def check(self) -> None:
        self._tests()

    def entries(self) -> list[BugEntry]:
        return [BugEntry(f"{self.name}/{name}", "java") for name in self._tests()]

    def bugs(self) -> list[Bug]:
        return [with_tests(bug, self._suite(bug, bug.buggy)) for bug in self._bugs.values()]

    def skipped(self) -> Mapping[str, str]:
        if reason := self._runner.unavailable():
            return {bug.id: reason for bug in self.entries()}
        same = "no fix: its correct file is missing, or the same as the buggy one"
        return {bug.id: same for bug in self._bugs.values() if bug.buggy == bug.fixed}

    def evaluate(self, bug: Bug, patch: Patch, sandbox: Sandbox) -> Verdict:
        return self._measured.evaluate(bug, self._suite(bug, patch.text or ""), patch, sandbox)

    def version(self, bug: Bug) -> str:
        """All the buggy programs belong to it: a patch may name any of their classes, and gets its file beside it."""
        suite = self._suite(bug, bug.fixed)
        return self._measured.version(bug, replace(suite, files={**self._programs, **suite.files}))

    def _tests(self) -> dict[str, Path]:
        """Name -> its tests, of the programs that have some. Raises UserError where there are none."""
        found = checkout.files(self._folder, [f"{TESTS}/TEST_*.java"], "human-eval-java checkout", HOW)
        named = {match[1]: path for path in found if (match := NAME.fullmatch(path.name))}
        return {name: path for name, path in named.items() if Path(self._folder, BUGGY, f"{name}.java").is_file()}

    @cached_property
    def _bugs(self) -> dict[str, Bug]:
        return {bug.id: bug for bug in map(self._read, self._tests())}

    def _read(self, name: str) -> Bug:
        buggy, correct = _text(Path(self._folder, BUGGY, f"{name}.java")), Path(self._folder, CORRECT, f"{name}.java")
        fixed = re.sub(r"\bhumaneval\.correct\b", "humaneval.buggy", _text(correct)) if correct.is_file() else buggy
        bug_id = f"{self.name}/{name}"
        return Bug(
            id=bug_id,
            language="java",
            path=f"{BUGGY}/{name}.java",
            buggy=buggy,
            fixed=fixed,
            span=span_of_change(buggy, fixed) if buggy != fixed else Span(1, 1),
            project=bug_id,
        )

    def _suite(self, bug: Bug, patched: str) -> Suite:
        name = bug.id.partition("/")[2]
        tests = patient(_text(self._tests()[name]))
        waiting = {*WORD.findall(bug.fixed), *WORD.findall(patched), *WORD.findall(tests)}
        waiting -= {*DECLARED.findall(bug.fixed), *DECLARED.findall(patched)}
        files, seen = {f"{TESTS}/TEST_{name}.java": tests.encode()}, set(waiting)
        while waiting:
            file = self._declared_in.get(waiting.pop(), bug.path)
            if file == bug.path or file in files:
                continue
            text = _text(Path(self._folder, file))
            files[file] = text.encode()
            waiting |= {*WORD.findall(text)} - seen
            seen |= waiting
        return Suite(bug.path, f"humaneval.TEST_{name}", files)

    @cached_property
    def _programs(self) -> dict[str, bytes]:
        """Path -> content of each buggy program."""
        return {path: Path(self._folder, path).read_bytes() for path in {*self._declared_in.values()}}

    @cached_property
    def _declared_in(self) -> dict[str, str]:
        """Name of a class -> the file of the buggy programs that declares it."""
        found: dict[str, str] = {}
        for path in sorted(Path(self._folder, BUGGY).glob("*.java")):
            found[path.stem] = f"{BUGGY}/{path.name}"
            for name in DECLARED.findall(_text(path)):
                found.setdefault(name, f"{BUGGY}/{path.name}")
        return found


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")  # line ends as they are
