"""Pocket: our own small bugs in Python and Java, in the folder `assets/bugs`, each with its tests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

from engine import params
from engine.assets import BUGS
from engine.benchmarks import Listed
from engine.benchmarks.runners.evaluating import Evaluator, Runner, version
from engine.benchmarks.runners.java import JavaRunner
from engine.benchmarks.runners.python import PythonRunner
from engine.benchmarks.runners.report import Suite
from engine.benchmarks.runners.settings import Way, timeout_s, way
from engine.domain import Bug, Patch, Span, Verdict
from engine.sandboxes import Sandbox


class Pocket:
    """Small bugs of our own, one fault each, with the tests that tell right from wrong."""

    name: ClassVar[str] = "pocket"
    title: ClassVar[str] = "Pocket (shipped)"

    class Params(params.Params):
        """Which of the bugs, and how long their tests may take."""

        name: Literal["pocket"] = "pocket"
        languages: tuple[Literal["python", "java"], ...] = params.setting(
            ("python", "java"), "Languages whose bugs are used.", min_length=1
        )
        timeout_s: float = timeout_s(5.0)
        runner: Way = way()

    def __init__(self, params: Params, folder: Path = BUGS) -> None:
        self._params = params
        self._folder = folder
        self._evaluator = Evaluator()
        self._runners: dict[str, Runner] = {
            "python": PythonRunner(params.timeout_s, params.runner == "warm"),
            "java": JavaRunner(params.timeout_s, params.runner == "warm"),
        }

    def check(self) -> None:
        """They are shipped."""

    def listed(self) -> list[Listed]:
        listed = []
        for described in self._described():
            told = json.loads(described.read_text(encoding="utf-8"))
            listed.append(Listed(told["id"], told["language"], told["kind"], told.get("cwe", "")))
        return listed

    def bugs(self) -> list[Bug]:
        return [bug for bug, _ in self._cases.values()]

    def skipped(self) -> Mapping[str, str]:
        reasons = {language: runner.unavailable() for language, runner in self._runners.items()}
        return {bug.id: reasons[bug.language] for bug in self.listed() if reasons[bug.language]}

    def evaluate(self, bug: Bug, patch: Patch, sandbox: Sandbox) -> Verdict:
        _, suite = self._cases[bug.id]
        runner = self._runners[bug.language]
        return self._evaluator.evaluate(bug, patch, suite, runner, sandbox, lambda: bug.failing + bug.passing)

    def version(self, bug: Bug) -> str:
        return version(bug, self._cases[bug.id][1], self._runners[bug.language])

    @cached_property
    def _cases(self) -> dict[str, tuple[Bug, Suite]]:
        """Bug id -> the bug and its tests, ordered by language and then by name."""
        cases = map(_read, self._described())
        return {bug.id: (bug, suite) for bug, suite in cases}

    def _described(self) -> list[Path]:
        languages = sorted(set(self._params.languages), key=self._params.languages.index)
        return [path for language in languages for path in sorted((self._folder / language).glob("*/bug.json"))]


def _read(described: Path) -> tuple[Bug, Suite]:
    folder, told = described.parent, json.loads(described.read_text(encoding="utf-8"))
    tests = sorted(path for path in (folder / "tests").iterdir() if path.is_file())
    assert len(tests) == 1, f"{folder.name} needs one file of tests"
    bug = Bug(
        id=told["id"],
        language=told["language"],
        path=told["file"],
        buggy=_text(folder / "buggy" / told["file"]),
        fixed=_text(folder / "fixed" / told["file"]),
        span=Span(*told["span"]),
        kind=told["kind"],
        cwe=told.get("cwe", ""),
        project=told["id"],
        failing=tuple(told["failing"]),
        passing=tuple(told["passing"]),
    )
    name = tests[0].name if bug.language == "python" else tests[0].stem
    return bug, Suite(bug.path, name, {tests[0].name: tests[0].read_bytes()})


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8")  # line ends as they are
