"""Lines to be completed in files of whole projects (Long Code Arena, arXiv 2406.11612), judged by comparing text.

A row: `repo, commit_hash, completion_file {filename, content}, completion_lines {category: [line, from 0]},
repo_snapshot {filename: [...], content: [...]}`. Nothing is run: a line is exact, or some of its tokens are right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, ClassVar, Literal

from engine import params
from engine.benchmarks import BugEntry, rows
from engine.domain import Bug, Outcome, Patch, Span, Verdict, lines_of
from engine.errors import UserError
from engine.languages import LANGUAGES
from engine.languages.source import Source
from engine.sandboxes import Sandbox
from engine.task import Task

NAMES = ("completion.jsonl", "test.jsonl")
FIELDS = ("repo", "commit_hash", "completion_file", "completion_lines", "repo_snapshot")
HOW = "save a split of JetBrains-Research/lca-project-level-code-completion as completion.jsonl"
TOKEN = re.compile(r"\w+|[^\w\s]")
LINE = "line"  # the test of a whole line; the others are its tokens


class Completion:
    """Single lines to be written in files of a project, by category of line, from your copy of the rows."""

    name: ClassVar[str] = "completion"
    title: ClassVar[str] = "Line completion (your copy)"
    runs_code: ClassVar[bool] = False

    class Params(params.Params):
        """Where the rows lie, and what of the project a model sees."""

        name: Literal["completion"] = "completion"
        folder: params.Place = params.setting("", "Folder that holds completion.jsonl, or the file.")
        context: Literal["path_distance", "none"] = params.setting(
            "path_distance", "Files of the project before the file itself, the nearest last."
        )
        context_chars: int = params.setting(
            20_000, "Of these files at most; cut at the front.", unit="characters", more=True, ge=0, le=10_000_000
        )

    def __init__(self, params: Params) -> None:
        self._params = params

    def check(self) -> None:
        rows.file(self._params.folder, NAMES, HOW)

    def entries(self) -> list[BugEntry]:
        return [BugEntry(_id(row, line), _language(row), kind) for row in self._rows for kind, line in _wanted(row)]

    def bugs(self) -> list[Bug]:
        found = []
        for row in self._rows:
            context = self._context(row)  # the same for all lines of a file
            found += [_bug(row, kind, line, context) for kind, line in _wanted(row)]
        return found

    def skipped(self) -> Mapping[str, str]:
        known = ", ".join(LANGUAGES)
        return {
            bug.id: f"no syntax for {bug.language} files; known: {known}"
            for bug in self.entries()
            if bug.language not in LANGUAGES
        }

    def evaluate(self, bug: Bug, patch: Patch, sandbox: Sandbox) -> Verdict:
        """Plausible: the line is exact, blanks around it left out. Else `failed` names the tokens that are wrong."""
        if patch.text is None:
            return Verdict(Outcome.NO_PATCH, patch.reason)
        written = patch.text[len(_before(bug)) :].partition("\n")[0]
        failed = (LINE, *wrong_tokens(bug.fixed_lines, written))
        if patch.text.startswith(_before(bug)) and written.strip() == bug.fixed_lines.strip():
            return Verdict(Outcome.PLAUSIBLE)
        parses = patch.text == bug.buggy or not Source(patch.text, bug.language).has_error
        if parses or Source(bug.fixed, bug.language).has_error:
            return Verdict(Outcome.TEST_FAILED, failed=failed)
        return Verdict(Outcome.COMPILE_ERROR, log="the file does not parse with this line", failed=failed)

    def figures(self, verdicts: Mapping[str, Verdict]) -> dict[str, dict[str, float]]:
        """Category -> lines, share that is exact, share of tokens that are right; bug id -> its first verdict."""
        found: dict[str, dict[str, float]] = {}
        bugs = {bug.id: bug for bug in self.bugs()}
        for bug_id, verdict in verdicts.items():
            if verdict.outcome is Outcome.NOT_RUN:
                continue
            sums = found.setdefault(bugs[bug_id].kind, {"lines": 0, "exact_match": 0, "tokens": 0, "right": 0})
            tokens = len(bugs[bug_id].failing) - 1
            wrong = tokens if verdict.outcome is Outcome.NO_PATCH else max(0, len(verdict.failed) - 1)
            sums["lines"] += 1
            sums["exact_match"] += verdict.is_plausible
            sums["tokens"] += tokens
            sums["right"] += tokens - wrong
        return {
            kind: {
                "lines": sums["lines"],
                "exact_match": sums["exact_match"] / sums["lines"],
                "token_accuracy": sums["right"] / max(sums["tokens"], 1),
            }
            for kind, sums in found.items()
        }

    @cached_property
    def _rows(self) -> list[dict[str, Any]]:
        found = rows.read(self._params.folder, NAMES, HOW, FIELDS)
        for number, row in enumerate(found, start=1):
            try:
                _check(row)
            except (KeyError, TypeError, IndexError) as error:
                raise UserError(f"row {number} is no line completion: {error!r}", field="benchmark.folder") from None
        return found

    def _context(self, row: Mapping[str, Any]) -> str:
        if self._params.context == "none" or not self._params.context_chars:
            return f"# {row['repo']}\n\n"
        snapshot, target = row["repo_snapshot"], row["completion_file"]["filename"]
        files = zip(snapshot["filename"], snapshot["content"], strict=True)
        near = sorted(((-_distance(name, target), name, text) for name, text in files if name != target))
        text = "\n\n".join(f"# {name}\n{content}" for _, name, content in near)
        return f"# {row['repo']}\n{text[-self._params.context_chars :]}\n\n"


def _bug(row: Mapping[str, Any], kind: str, line: int, context: str) -> Bug:
    file = row["completion_file"]
    lines = lines_of(file["content"])
    ended = lines[line].rstrip("\r\n")
    before = "".join(lines[:line])
    blank = lines[line][len(ended) :] or "\n"
    return Bug(
        id=_id(row, line),
        language=_language(row),
        path=file["filename"],
        buggy="".join([before, blank, *lines[line + 1 :]]),
        fixed="".join([before, ended + blank, *lines[line + 1 :]]),
        span=Span(line + 1, line + 1),
        kind=kind,
        project=row["repo"],
        failing=(LINE, *wrong_tokens(ended, "")),
        task=Task(f"{context}# {file['filename']}\n{before}", ("\n",)),
    )


def wrong_tokens(expected: str, written: str) -> tuple[str, ...]:
    """The tokens of a line at whose place something else was written, each with its place from 1."""
    made = TOKEN.findall(written)
    return tuple(
        f"{place} {token}"
        for place, token in enumerate(TOKEN.findall(expected), start=1)
        if made[place - 1 : place] != [token]
    )


def _wanted(row: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Category and line; blank lines are nothing to write, and a line in two categories counts in the first."""
    lines = lines_of(row["completion_file"]["content"])
    seen: set[int] = set()
    for kind, numbers in row["completion_lines"].items():
        for line in numbers:
            if line not in seen and lines[line].strip():
                seen.add(line)
                yield kind, line


def _check(row: Mapping[str, Any]) -> None:
    """Raises KeyError, TypeError or IndexError."""
    found = [*_wanted(row)]
    paths = [row["completion_file"]["filename"], *row["repo_snapshot"]["filename"]]
    if not all(isinstance(each, str) for each in paths) or len(paths) != 1 + len(row["repo_snapshot"]["content"]):
        raise TypeError(f"{len(found)} lines, and files without a name or a text")


def _id(row: Mapping[str, Any], line: int) -> str:
    file = row["completion_file"]["filename"]
    return f"{Completion.name}/{row['repo']}@{row['commit_hash'][:8]}/{file}:{line + 1}"


def _language(row: Mapping[str, Any]) -> str:
    ending = PurePosixPath(row["completion_file"]["filename"]).suffix
    return next((name for name, known in LANGUAGES.items() if known.ending == ending), ending)


def _before(bug: Bug) -> str:
    return "".join(lines_of(bug.buggy)[: bug.span.start - 1])


def _distance(one: str, other: str) -> int:
    """Folders up and down between two files."""
    parts, others = PurePosixPath(one).parts, PurePosixPath(other).parts
    same = next(
        (i for i, (a, b) in enumerate(zip(parts, others, strict=False)) if a != b), min(len(parts), len(others))
    )
    return len(parts) + len(others) - 2 * same
