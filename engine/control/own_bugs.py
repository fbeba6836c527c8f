"""Code with tests that a user pastes: checked by running them, and kept as a bug in a folder of the home."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.benchmarks.folder import called, runners
from engine.benchmarks.runners.evaluating import Runner
from engine.benchmarks.runners.report import Report, Suite, trimmed
from engine.domain import lines_of
from engine.errors import OutsideFailure, UserError
from engine.params import is_unicode, shown
from engine.plugins import SANDBOXES
from engine.sandboxes import Sandbox
from engine.sandboxes.auto import usable

LANGUAGES = {".py": "python", ".java": "java"}  # by the ending of the faulty file
FILE = re.compile(r"[A-Za-z_]\w{0,60}\.(?:py|java)")
IMPORTED = re.compile(r"^\s*(?:from\s+(\w+)[\w.]*\s+import|import\s+(\w+))", re.MULTILINE)
CLASS = re.compile(r"^\s*public\s+(?:final\s+|abstract\s+)?(?:class|record|enum)\s+(\w+)", re.MULTILINE)
LINES = re.compile(r"(\d{1,6})(?:\s*-\s*(\d{1,6}))?")
MOST_CHARS = 100_000  # of all that is pasted
SANDBOX = "auto"
TIMEOUT_S = 5.0  # of processor time for the tests
RUNNERS = ("conftest", "pytest", "sitecustomize", "usercustomize")
NO_PROJECT = ("pytest", "hypothesis", "numpy", "pandas", "unittest")  # imports of tests that are not of the faulty file


@dataclass(frozen=True)
class Pasted:
    """What a user gives; `fixed` may be empty where `lines`, such as "4" or "4-6", says which ones are faulty."""

    code: str
    tests: str
    fixed: str = ""
    lines: str = ""
    file: str = ""  # name of the faulty file; empty: as the tests or the code call it


@dataclass(frozen=True)
class Kept:
    """The bug that was made of it, and the benchmark that it is in, as specs name both."""

    bug_id: str
    benchmark: dict[str, str]
    failing: tuple[str, ...]
    passing: tuple[str, ...]


class OwnBugs:
    """The bugs of users in a home, each a benchmark `folder` of its own: one that is read stays as it was read."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "bugs"

    def add(self, given: Pasted) -> Kept:
        """Run the tests on the faulty code, and keep both as a bug.

        Raises UserError that says what is wrong with what was given, OutsideFailure if no test can be run here.
        """
        given = _checked(given)
        language = LANGUAGES[Path(given.file).suffix]
        suite = _suite(given, language)
        runner, sandbox = runners(TIMEOUT_S, is_warm=False)[language], usable(SANDBOXES.params(SANDBOX))
        if reason := runner.unavailable():
            raise OutsideFailure(reason)
        failing, passing = _failing(given, suite, runner, sandbox)
        first, last = _span(given)
        name = f"{Path(given.file).stem.lower().replace('_', '-')}-{secrets.token_hex(3)}"
        told = {"language": language, "file": given.file, "span": [first, last], "failing": failing, "passing": passing}
        self._write(name, told | {"kind": "own", "has_known_fix": bool(given.fixed)}, given, suite)
        where = {"name": "folder", "folder": str(self._folder / name)}
        return Kept(f"folder/{name}", where, tuple(failing), tuple(passing))

    def _write(self, name: str, told: dict[str, object], given: Pasted, suite: Suite) -> None:
        folder = self._folder / name  # of the benchmark; bug.json is written last, so a bug that has it is complete
        part = folder / name
        texts = {f"buggy/{given.file}": given.code, **({f"fixed/{given.file}": given.fixed} if given.fixed else {})}
        texts |= {f"tests/{file}": content.decode() for file, content in suite.files.items()}
        texts["bug.json"] = json.dumps(told, indent=2)
        try:
            for file, text in texts.items():
                (part / file).parent.mkdir(parents=True, exist_ok=True)
                (part / file).write_text(text, encoding="utf-8")
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise OutsideFailure(f"{folder} cannot be written: {error.strerror}; free some space") from None


def _checked(given: Pasted) -> Pasted:
    """With ended lines, and the name of the file. Raises UserError."""
    for label, text in (("Faulty code", given.code), ("Tests", given.tests)):
        if not text.strip():
            raise UserError(f"{label}: is empty; paste it, or choose a file")
    texts = {name: getattr(given, name).replace("\r\n", "\n") for name in ("code", "tests", "fixed")}
    if sum(map(len, texts.values())) > MOST_CHARS:
        raise UserError(f"the code and its tests should have at most {MOST_CHARS:,} characters together")
    if not all(map(is_unicode, texts.values())):
        raise UserError("Faulty code: the code and its tests should be text in UTF-8")
    ended = {name: f"{text.rstrip()}\n" if text.strip() else "" for name, text in texts.items()}
    if ended["fixed"] == ended["code"]:
        raise UserError("Fixed code: it is the same as the faulty code; leave it empty if it is not known")
    file = given.file.strip() or _called(ended["code"], ended["tests"])
    if Path(file).stem in sys.stdlib_module_names or Path(file).stem in RUNNERS:
        raise UserError(f"File name: {file} would stand in the place of a module that the tests need; rename it")
    if not FILE.fullmatch(file):
        raise UserError(
            f"File name: should be a name such as gcd.py or Gcd.java, as the tests import it (got {shown(file)})"
        )
    return Pasted(**ended, lines=given.lines.strip(), file=file)


def _called(code: str, tests: str) -> str:
    """The name of the faulty file, as its tests import it or its class is called; empty if neither tells."""
    if found := CLASS.search(code):
        return f"{found[1]}.java"
    names = [one or other for one, other in IMPORTED.findall(tests)]
    own = [name for name in names if name not in sys.stdlib_module_names and name not in NO_PROJECT]
    return f"{own[0]}.py" if own else ""


def _suite(given: Pasted, language: str) -> Suite:
    stem = Path(given.file).stem
    if language == "python":
        if stem not in [one or other for one, other in IMPORTED.findall(given.tests)]:
            raise UserError(f"Tests: they do not import {stem}; write `from {stem} import ...` above them")
        name = f"test_{stem}.py"
    else:
        found = re.search(r"\bclass\s+(\w+Test)\b", given.tests)
        if not found:
            raise UserError("Tests: should be a JUnit class whose name ends in Test, such as GcdTest")
        name = f"{found[1]}.java"
    content = given.tests.encode()
    return Suite(given.file, called(name, content), {name: content})


def _failing(given: Pasted, suite: Suite, runner: Runner, sandbox: Sandbox) -> tuple[list[str], list[str]]:
    """The tests that fail on the faulty code and those that pass. Raises UserError where nothing is to be repaired."""
    report = runner.run(given.code, suite, sandbox)
    if "ready" not in report.words:
        raise OutsideFailure(f"no test could be run here: {report.ran.detail or _last(report) or 'the sandbox failed'}")
    if "compiled" not in report.words:
        raise UserError(f"Faulty code: it cannot be compiled with its tests: {_last(report)}")
    if unread := [name for name in report.failed if name in suite.files]:
        raise UserError(f"Tests: they cannot be read: {report.failed[unread[0]] or _last(report)}")
    if given.fixed:
        fixed = runner.run(given.fixed, suite, sandbox)
        if wrong := sorted({*report.failed, *report.passed} - fixed.passed):
            raise UserError(f"Fixed code: {shown(wrong[0])} does not pass on it; correct it, or leave it empty")
        _all_ended(fixed, "the fixed code")
        failing = fixed.passed - report.passed  # with those that never end on the faulty code
    else:
        _all_ended(report, "this code")
        failing = frozenset(report.failed)
    if not (report.passed or failing):
        raise UserError(f"Tests: none was run: {_last(report)}")
    if not failing:
        number = f"all {len(report.passed)} tests pass" if len(report.passed) > 1 else "its only test passes"
        raise UserError(f"Tests: {number} on this code, so there is nothing to repair; add a test that fails")
    return sorted(failing), sorted(report.passed)


def _all_ended(report: Report, what: str) -> None:
    """Raises UserError where there are tests of which nothing is known."""
    if report.ran.ended != "exit":
        more = "" if what == "the fixed code" else ", or the fixed code, on which they end"
        raise UserError(
            f"Tests: on {what} they did not end within {TIMEOUT_S:g} s of processor time ({report.ran.ended}); give "
            f"fewer or quicker ones{more}"
        )


def _last(report: Report) -> str:
    """The last line that says an error, of what the tests wrote."""
    lines = [line.strip() for line in trimmed(report.ran.stderr).splitlines() if line.strip()]
    said = [line for line in lines if "rror" in line] or lines
    return said[-1][:300] if said else ""


def _span(given: Pasted) -> tuple[int, int]:
    """The first and the last faulty line. Raises UserError if nothing says so."""
    old = lines_of(given.code)
    if given.lines:
        found = LINES.fullmatch(given.lines)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
        if not 1 <= first <= last <= len(old):
            raise UserError(
                f"Faulty lines: should be a line or lines of the code, such as 4 or 4-6, at most {len(old)} "
                f"(got {shown(given.lines)})"
            )
        changed = _changed(old, lines_of(given.fixed)) if given.fixed else (first, last)
        return min(first, changed[0]), max(last, changed[1])
    if not given.fixed:
        raise UserError("Faulty lines: say which lines are faulty, such as 4 or 4-6, or give the fixed code")
    return _changed(old, lines_of(given.fixed))


def _changed(old: list[str], new: list[str]) -> tuple[int, int]:
    """The first and the last line of `old` that differ; of lines that are only added, the gap: (3, 2)."""
    most = min(len(old), len(new))
    head = next((at for at in range(most) if old[at] != new[at]), most)
    tail = next(_differing(old, new, most - head), most - head)
    return head + 1, len(old) - tail


def _differing(old: list[str], new: list[str], most: int) -> Iterator[int]:
    return (at for at in range(most) if old[-1 - at] != new[-1 - at])
