"""Pocket: our own small bugs in Python and Java, in the folder `assets/bugs`, each with its tests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

from engine import params
from engine.assets import BUGS
from engine.benchmarks import BugEntry
from engine.benchmarks.runners.java import JavaRunner
from engine.benchmarks.runners.python import PythonRunner
from engine.benchmarks.runners.report import Runner, Suite, evaluate
from engine.domain import Bug, Patch, Span, Verdict
from engine.sandboxes import Sandbox


class Pocket:
    """Small bugs of our own, one fault each, with tests that fail on the fault and pass on the fix."""

    name: ClassVar[str] = "pocket"
    title: ClassVar[str] = "Pocket (shipped)"

    class Params(params.Params):
        """Which of the bugs, and how long their tests may take."""

        name: Literal["pocket"] = "pocket"
        languages: tuple[Literal["python", "java"], ...] = params.setting(
            ("python", "java"), "Languages whose bugs are used.", min_length=1
        )
        timeout_s: float = params.setting(
            5.0,
            "Processor time for all tests of one patch; the wall-clock limit is three times that.",
            unit="s",
            more=True,
            gt=0,
            le=600,
        )

    def __init__(self, params: Params, folder: Path = BUGS) -> None:
        self._params = params
        self._folder = folder
        self._runners: dict[str, Runner] = {
            "python": PythonRunner(params.timeout_s),
            "java": JavaRunner(params.timeout_s),
        }

    def check(self) -> None:
        """Nothing to check: the bugs are shipped."""

    def entries(self) -> list[BugEntry]:
        entries = []
        for file in self._bug_files():
            values = json.loads(file.read_text(encoding="utf-8"))
            entries.append(BugEntry(values["id"], values["language"], values["kind"], values.get("cwe", "")))
        return entries

    def bugs(self) -> list[Bug]:
        return [bug for bug, _ in self._cases.values()]

    def skipped(self) -> Mapping[str, str]:
        reasons = {language: runner.unavailable() for language, runner in self._runners.items()}
        return {bug.id: reasons[bug.language] for bug in self.entries() if reasons[bug.language]}

    def evaluate(self, bug: Bug, patch: Patch, sandbox: Sandbox) -> Verdict:
        _, suite = self._cases[bug.id]
        runner = self._runners[bug.language]
        return evaluate(patch, suite, runner, sandbox, lambda: bug.failing + bug.passing)

    @cached_property
    def _cases(self) -> dict[str, tuple[Bug, Suite]]:
        """Bug id -> the bug and its tests, ordered by language and then by name."""
        cases = map(_read, self._bug_files())
        return {bug.id: (bug, suite) for bug, suite in cases}

    def _bug_files(self) -> list[Path]:
        languages = sorted(set(self._params.languages), key=self._params.languages.index)
        return [path for language in languages for path in sorted((self._folder / language).glob("*/bug.json"))]


def _read(file: Path) -> tuple[Bug, Suite]:
    folder, values = file.parent, json.loads(file.read_text(encoding="utf-8"))
    tests = sorted(path for path in (folder / "tests").iterdir() if path.is_file())
    assert len(tests) == 1, f"{folder.name} needs one file of tests"
    bug = Bug(
        id=values["id"],
        language=values["language"],
        path=values["file"],
        buggy=_text(folder / "buggy" / values["file"]),
        fixed=_text(folder / "fixed" / values["file"]),
        span=Span(*values["span"]),
        kind=values["kind"],
        cwe=values.get("cwe", ""),
        project=values["id"],
        failing=tuple(values["failing"]),
        passing=tuple(values["passing"]),
    )
    name = tests[0].name if bug.language == "python" else tests[0].stem
    return bug, Suite(bug.path, name, {tests[0].name: tests[0].read_bytes()})


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8")  # without converting line ends
