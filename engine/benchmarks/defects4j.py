"""Defects4J (Just et al., ISSTA 2014) through its own command line: real bugs of Java projects, in their checkouts.

`defects4j checkout` and `export` run outside, once for each bug; a patched checkout, without its history, is compiled
and tested by `defects4j compile` and `test` in the sandbox. Where each bug's lines stand is also written to
`mapping.json` beside the checkouts: bug id -> file, start, end.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

from engine import params
from engine.benchmarks import BugEntry
from engine.benchmarks.runners.java_tools import find_jdk
from engine.benchmarks.runners.report import PATIENCE, Suite, read_report, verdict
from engine.benchmarks.shown_tests import with_tests
from engine.domain import Bug, Outcome, Patch, Span, Verdict, span_of_change
from engine.errors import MissingDependency, UserError
from engine.sandboxes import MIB, Limits, Sandbox, Start
from engine.sandboxes.identity import reachable

HOW = (
    "git clone https://github.com/rjust/defects4j, run its init.sh, then put framework/bin on the PATH or give the "
    "clone's folder"
)
HARNESS = Path(__file__).parent / "runners/defects4j_harness.py"
CHECKOUTS = "~/.cache/repair-studio/defects4j"
ALL = "all tests"
LONGEST_S = 3600.0  # for one checkout or export
LEFT_OUT = {".git", ".svn"}  # a project's history holds the fix


@dataclass(frozen=True)
class Project:
    """One bug's checkout; paths are relative to it."""

    folder: Path
    encoding: str  # of the file that is patched
    files: tuple[str, ...]  # that the fix changes


class Defects4J:
    """Real bugs of Java projects, by the Defects4J that is installed on this machine."""

    name: ClassVar[str] = "defects4j"
    title: ClassVar[str] = "Defects4J (your installation)"
    reads_slowly: ClassVar[bool] = True  # `bugs` checks out every one

    class Params(params.Params):
        """Which bugs, where Defects4J is, and how long the tests of one patch may take."""

        name: Literal["defects4j"] = "defects4j"
        folder: params.Place = params.setting("", "Folder of the Defects4J clone; empty: the one on the PATH.")
        bugs: tuple[str, ...] = params.setting((), 'Which bugs, as in ["Lang-1", "Chart"]; empty: all active ones.')
        checkouts: params.Place = params.setting(CHECKOUTS, "Folder where checkouts are kept.", more=True)
        timeout_s: float = params.setting(
            600.0,
            "Processor time for all tests of one patch; three times that by the clock.",
            unit="s",
            more=True,
            gt=0,
            le=36_000,
        )

    def __init__(self, params: Params) -> None:
        self._params = params
        self._checkouts = Path(os.path.expanduser(params.checkouts))

    def check(self) -> None:
        assert self._program

    def entries(self) -> list[BugEntry]:
        return [BugEntry(f"{self.name}/{name}", "java") for name in self._names]

    def bugs(self) -> list[Bug]:
        """Every bug, checked out where it is not yet, which takes minutes for each. Raises UserError."""
        return [bug for bug, _ in self._cases.values()]

    def skipped(self) -> Mapping[str, str]:
        try:
            find_jdk()
            reason = "" if reachable(self._program) else f"{self._program} cannot be read by the user that runs patches"
        except MissingDependency as missing:
            reason = str(missing)
        if reason:
            return {bug.id: reason for bug in self.entries()}
        return {
            bug_id: f"its fix changes {len(project.files)} files: {', '.join(project.files)}"
            for bug_id, (_, project) in self._cases.items()
            if len(project.files) != 1
        }

    def evaluate(self, bug: Bug, patch: Patch, sandbox: Sandbox) -> Verdict:
        if patch.text is None:
            return Verdict(Outcome.NO_PATCH, patch.reason)
        _, project = self._cases[bug.id]
        nonce = secrets.token_hex(16)
        files = {
            **_content(project.folder),
            bug.path: patch.text.encode(project.encoding, "replace"),
            HARNESS.name: HARNESS.read_bytes(),
            "nonce": nonce.encode(),
        }
        home, jdk = self._program.parents[2], find_jdk()
        argv = ["/usr/bin/python3", "-I", "-S", "-B", HARNESS.name, f"{{home}}/{self._program.relative_to(home)}"]
        tools = {"home": str(home)} if jdk.is_relative_to("/usr") else {"home": str(home), "jdk": str(jdk)}
        argv += [str(jdk) if jdk.is_relative_to("/usr") else "{jdk}", ALL, *bug.failing]
        timeout_s = self._params.timeout_s
        limits = Limits(PATIENCE * timeout_s, timeout_s, 4096 * MIB, 256, 512 * MIB, 4096 * MIB)
        start = Start(f"{nonce} compiled".encode(), wall_s=PATIENCE * timeout_s, cpu_s=timeout_s)
        ran = sandbox.run(argv, files, limits, tools=tools, start=start)
        return verdict(read_report(ran, nonce), (*bug.failing, *bug.passing), sandbox)

    @cached_property
    def _program(self) -> Path:
        """Raises UserError where there is none."""
        given = Path(self._params.folder, "framework/bin/defects4j") if self._params.folder else None
        found = shutil.which(str(given or "defects4j"))
        if found is None:
            where = f"no {given}" if given else "no defects4j on the PATH"
            raise UserError(f"{where}; {HOW}", field="benchmark.folder")
        return Path(found).resolve()

    @cached_property
    def _names(self) -> list[str]:
        """Of the bugs that are wanted, "Lang-1". Raises UserError for one that Defects4J does not have."""
        projects = self._said("pids").split()
        wanted = self._params.bugs or tuple(projects)
        found = []
        for one in wanted:
            project, _, number = one.partition("-")
            if project not in projects:
                raise UserError(f"bugs: Defects4J has no project {project!r}; it has {', '.join(projects)}")
            numbers = self._said("bids", "-p", project).split()
            if number and number not in numbers:
                raise UserError(f"bugs: {project} has no active bug {number!r}")
            found += [f"{project}-{each}" for each in ([number] if number else numbers)]
        return [*dict.fromkeys(found)]

    @cached_property
    def _cases(self) -> dict[str, tuple[Bug, Project]]:
        found = {bug.id: (bug, project) for bug, project in map(self._read, self._names)}
        part = self._checkouts / f".mapping-{os.getpid()}"
        part.write_text(json.dumps(mapping(bug for bug, _ in found.values()), indent=1), encoding="utf-8")
        part.replace(self._checkouts / "mapping.json")
        return found

    def _read(self, name: str) -> tuple[Bug, Project]:
        buggy, fixed = self._checked_out(name, "b"), self._checked_out(name, "f")
        sources = self._said("export", "-p", "dir.src.classes", "-w", str(buggy)).strip()
        classes = self._said("export", "-p", "classes.modified", "-w", str(buggy)).split()
        paths = [f"{sources}/{each.partition('$')[0].replace('.', '/')}.java" for each in classes]
        changed = tuple(path for path in dict.fromkeys(paths) if _bytes(buggy / path) != _bytes(fixed / path))
        path = (changed or (*paths, ""))[0]
        encoding, texts = _decoded(_bytes(buggy / path), _bytes(fixed / path))
        failing = tuple(self._said("export", "-p", "tests.trigger", "-w", str(buggy)).split())
        bug_id = f"{self.name}/{name}"
        bug = Bug(
            id=bug_id,
            language="java",
            path=path,
            buggy=texts[0],
            fixed=texts[1],
            span=span_of_change(*texts) if texts[0] != texts[1] else Span(1, 0),
            project=name.partition("-")[0],
            failing=failing,
            passing=(ALL,),
        )
        suite = Suite(path, "\n".join(failing), _sources_of(failing, buggy))
        return with_tests(bug, suite), Project(buggy, encoding, changed)

    def _checked_out(self, name: str, version: str) -> Path:
        """The checkout of the (b)uggy or the (f)ixed version, made where it is not there."""
        folder = self._checkouts / f"{name}{version}"
        if not folder.is_dir():
            project, _, number = name.partition("-")
            self._checkouts.mkdir(parents=True, exist_ok=True)
            part = self._checkouts / f".{name}{version}-{os.getpid()}"
            self._said("checkout", "-p", project, "-v", f"{number}{version}", "-w", str(part))
            part.rename(folder)
        return folder

    def _said(self, *words: str) -> str:
        """What `defects4j` with these words writes. Raises UserError where it fails."""
        command = [str(self._program), *words]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_S, stdin=subprocess.DEVNULL)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UserError(f"defects4j {' '.join(words)}: {error}; {HOW}", field="benchmark.folder") from None
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip()[-500:]
            raise UserError(f"defects4j {' '.join(words)} failed: {said}", field="benchmark.folder")
        return done.stdout


def mapping(bugs: Iterable[Bug]) -> dict[str, dict[str, str | int]]:
    """Bug id -> the file that a patch goes into, and its faulty lines, 1-based and inclusive."""
    return {bug.id: {"file": bug.path, "start": bug.span.start, "end": bug.span.end} for bug in bugs}


def _content(folder: Path) -> dict[str, bytes]:
    """All files of a checkout but its history; no link is followed."""
    found = {}
    for place, folders, names in os.walk(folder):
        folders[:] = [each for each in folders if each not in LEFT_OUT]
        for name in names:
            path = Path(place, name)
            if name not in LEFT_OUT and path.is_file() and not path.is_symlink():
                found[str(path.relative_to(folder))] = path.read_bytes()
    return found


def _sources_of(tests: Iterable[str], folder: Path) -> dict[str, bytes]:
    """The files of the classes that these tests are in, wherever in the checkout they are."""
    names = {f"{test.partition('::')[0].rpartition('.')[2]}.java" for test in tests}
    files = [path for name in sorted(names) for path in sorted(folder.rglob(name)) if not path.is_symlink()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files if path.is_file()}


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _decoded(*contents: bytes) -> tuple[str, list[str]]:
    """Text of files in the encoding that both have: UTF-8, or Latin-1, which keeps every byte."""
    try:
        return "utf-8", [each.decode("utf-8") for each in contents]
    except UnicodeDecodeError:
        return "latin-1", [each.decode("latin-1") for each in contents]
