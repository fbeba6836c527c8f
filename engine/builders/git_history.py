"""Bugs from the history of a git repository on this disk: the functions that its fixing commits change.

Commits are read newest first, as data alone; nothing of the repository is executed (`engine.builders.repository`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import AfterValidator

from engine import params
from engine.builders import Funnel
from engine.builders.changes import SEVERAL, Changed, changed_functions
from engine.builders.pairs import cleaned, kind_of
from engine.builders.repository import (
    ChangedFile,
    Missing,
    Repository,
    author_of,
    changes_between,
    message_of,
)
from engine.builders.source_files import KNOWN, LONGEST_FILE, is_made, is_test, language_of
from engine.domain import Bug, Rows, span_of_change
from engine.errors import UserError
from engine.languages.source import Source
from engine.params import Day, Place, is_unicode, setting, shown

if TYPE_CHECKING:
    import pygit2

FIELD = "builder.repository"


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"is no regular expression: {error} (got {shown(text)})") from None
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]


class GitHistory:
    """Finds commits that fix something, and takes the functions that they change; the rest is counted with reasons."""

    name: ClassVar[str] = "git_history"
    title: ClassVar[str] = "Git history"
    makes: ClassVar[Rows] = "bugs"

    class Params(params.Params):
        """The repository, and which of its commits are taken for fixes."""

        name: Literal["git_history"] = "git_history"
        repository: Place = setting("", "folder of a git repository: the one that holds .git, or a bare one")
        message: Pattern = setting(
            r"\b(fix(es|ed|ing)?|bugs?|bugfix|repairs?|defects?|faults?|crash(es)?|regressions?)\b",
            "only commits whose message has one of these words, in upper or lower case (a regular expression); "
            "empty: all",
            title="Commit message",
        )
        author: Pattern = setting("", "only commits whose author's name or address has a match; empty: all")
        since: Day = setting("", "only commits of this day or later, such as 2020-01-31; empty: all")
        until: Day = setting("", "only commits of this day or earlier; empty: all")
        paths: tuple[str, ...] = setting(
            (), 'only files with such a path, also under earlier names: ["src/*", "*.py"]; empty: all', more=True
        )
        functions: int = setting(
            1,
            "most functions that a fix may change; each becomes a bug of its own",
            ge=1,
            le=100,
            more=True,
            title="Most functions",
        )
        branch: str = setting("", "branch, tag or commit to start from; empty: what is checked out", more=True)
        newest: int | None = setting(
            None,
            "only so many of the newest commits; empty: all",
            ge=1,
            le=10_000_000,
            more=True,
            title="Newest commits",
        )
        strip: bool = setting(False, "remove comments, docstrings and blank lines", title="Strip comments", more=True)

    def __init__(self, params: Params) -> None:
        self.params = params

    def check(self) -> None:
        """Raises UserError if the folder is no repository, or has no commits."""
        self._repository().head(self.params.branch)

    def choices(self) -> Mapping[str, Sequence[str]]:
        return {}

    def total(self) -> int | None:
        return None

    def stream(self, seed: int, funnel: Funnel) -> Iterator[Bug]:
        """Newest first, whatever the seed."""
        repository = self._repository()
        history = _History(repository, self.params)
        commits = repository.commits(repository.head(self.params.branch))
        for commit in islice(commits, self.params.newest):
            name = commit if isinstance(commit, str) else str(commit.id)
            found = "is not in the repository, or damaged" if isinstance(commit, str) else history.bugs(commit)
            if isinstance(found, str):
                funnel.source += 1
                funnel.lose(found, name[:12])
                continue
            for bug in found:
                funnel.source += 1
                if isinstance(bug, str):
                    funnel.lose(bug, name[:12])
                else:
                    yield bug

    def _repository(self) -> Repository:
        if not self.params.repository:
            raise UserError("no repository is named; name the folder of a git repository", field=FIELD)
        folder = Path(self.params.repository)
        if not folder.is_dir():
            what = "is a file, not a folder" if folder.exists() else "does not exist"
            raise UserError(f"the folder {str(folder)!r} {what}; name the folder of a git repository", field=FIELD)
        return Repository(folder, FIELD)


@dataclass
class _Step:
    """One changed file of a fix, with the functions that it changes."""

    path: str
    functions: Sequence[Changed]


class _History:
    """Makes the bugs of one commit after another, newest first, and follows files to their earlier names."""

    def __init__(self, repository: Repository, params: GitHistory.Params) -> None:
        self._repository, self._params = repository, params
        folder = Path(params.repository).resolve()
        self._project = folder.name.removesuffix(".git") or folder.parent.name
        self._followed: set[str] = set()  # earlier names of files whose later one has a wanted path

    def bugs(self, commit: pygit2.Commit) -> list[Bug | str] | str:
        """The bugs that a commit fixes, each or a reason in its place; or one reason for all of the commit."""
        try:
            refused = self._refused(commit)
            if refused and not self._params.paths:
                return refused
            files = self._files(commit)  # also of a commit that is refused: it may rename what is followed
            if refused or isinstance(files, str):
                return refused or str(files)
            steps = self._steps(files)
        except Missing:
            return "an object of it is not in the repository (a partial clone?), or damaged"
        if isinstance(steps, str):
            return steps
        if sum(len(step.functions) for step in steps) > self._params.functions:
            return SEVERAL if self._params.functions == 1 else f"changes more than {self._params.functions} functions"
        found = [(step.path, function) for step in steps for function in step.functions]
        name = f"{self._project}@{str(commit.id)[:16]}"
        return [
            self._bug(name if number == 1 else f"{name}:{number}", path, function, commit)
            for number, (path, function) in enumerate(found, start=1)
        ]

    def _refused(self, commit: pygit2.Commit) -> str:
        """Why a commit is not taken for a fix; empty where it is."""
        params, day = self._params, _day_of(commit)
        if params.since and day < params.since:
            return "older than asked for"
        if params.until and day > params.until:
            return "newer than asked for"
        if params.author and not re.search(params.author, author_of(commit), re.I):
            return "by another author"
        if params.message and not re.search(params.message, message_of(commit), re.I):
            return "its message does not match"
        return ""

    def _files(self, commit: pygit2.Commit) -> list[ChangedFile] | str:
        """The changed files of code with a wanted path, or a reason."""
        if len(commit.parent_ids) != 1:
            first = "has no commit before it"
            cut_off = f"{first}, since the clone is shallow"
            return "is a merge" if commit.parent_ids else cut_off if self._repository.is_shallow else first
        files = self._repository.changed(commit)
        if isinstance(files, str):
            return files
        wanted = [each for each in files if self._is_wanted(each.new_path or each.old_path)]
        if self._params.paths:
            self._followed |= {each.old_path for each in wanted if each.old_path != each.new_path}
        if files and not wanted:
            return "changes no file with such a path"
        return wanted

    def _is_wanted(self, path: str) -> bool:
        paths = self._params.paths
        return not paths or path in self._followed or any(fnmatchcase(path, pattern) for pattern in paths)

    def _steps(self, files: Sequence[ChangedFile]) -> list[_Step] | str:
        """What the files of a fix change, without tests and generated code; or a reason."""
        steps: list[_Step] = []
        n_left = 0
        for file in files:
            path = file.new_path or file.old_path
            if file.old == file.new or is_test(path):
                continue
            if is_made(path, ""):
                n_left += 1
                continue
            if not file.old_path or not file.new_path:
                return "adds or deletes a whole file"
            if self._repository.is_long(file.old) or self._repository.is_long(file.new):
                return f"changes a file longer than {LONGEST_FILE >> 20} MiB"
            old, new = self._repository.text(file.old), self._repository.text(file.new)
            if old is None or new is None:
                return "changes a file that is not UTF-8"
            if is_made(path, new):
                n_left += 1
                continue
            language = language_of(path)
            found = changed_functions(Source(old, language), Source(new, language), changes_between(old, new))
            if isinstance(found, str):
                return found
            steps.append(_Step(file.old_path, found))
        return steps or ("changes generated code only" if n_left else f"changes no {KNOWN} code but tests")

    def _bug(self, id_: str, path: str, function: Changed, commit: pygit2.Commit) -> Bug | str:
        language = language_of(path)
        if not is_unicode(path):
            return "a path is not UTF-8"
        pair = cleaned(function.old, function.new, language, strip=self._params.strip)
        if isinstance(pair, str):
            return pair
        return Bug(
            id_, language, path, *pair, span_of_change(*pair), kind=kind_of(is_single=function.n_changes == 1),
            project=self._project, date=_day_of(commit), is_function=True,
        )  # fmt: skip


def _day_of(commit: pygit2.Commit) -> str:
    """The day of a commit in UTC; empty for a time that no calendar has."""
    try:
        return datetime.fromtimestamp(commit.commit_time, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return ""
