"""Repositories on this disk: their files by path, read when they are needed; links are never followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from engine.benchmarks.runners.project_files import FOREIGN
from engine.builders import Funnel
from engine.builders.composing import File
from engine.builders.source_files import LONGEST_FILE
from engine.errors import UserError
from engine.params import is_unicode
from engine.reading import open_regular

Which = Literal["auto", "one", "each"]
MOST_FILES = 100_000  # of a repository; each takes about 200 bytes
_DEEPEST = 100  # folders inside each other
NO_TEXT = "is no text in UTF-8"
_TOO_LONG = f"is longer than {LONGEST_FILE >> 20} MiB"


@dataclass(frozen=True)
class OnDisk(File):
    """A file in a folder."""

    folder: str
    path: str

    def text(self) -> str | None:
        found = self.read()
        return None if found[1] else found[0]

    def read(self) -> tuple[str, str]:
        """Its content, or the reason why it has none."""
        try:
            with open(open_regular(Path(self.folder, self.path)), "rb") as file:
                content = file.read(LONGEST_FILE + 1)
        except OSError as error:
            return "", f"cannot be read: {error.strerror}"
        if len(content) > LONGEST_FILE:
            return "", _TOO_LONG
        try:
            return ("", NO_TEXT) if b"\0" in content else (content.decode("utf-8"), "")
        except UnicodeDecodeError:
            return "", NO_TEXT


@dataclass(frozen=True)
class Repository:
    """A repository's files by path, in their order."""

    name: str
    folder: Path
    files: list[OnDisk] = field(default_factory=list)

    def read(self, funnel: Funnel) -> None:
        """Find the files; counts each in `funnel.source`, and what no sample and no context can have as lost."""
        for path, refused in _entries(self.folder):
            funnel.source += 1
            if not refused and len(self.files) >= MOST_FILES:
                refused = f"comes after {MOST_FILES:,} files of its repository"
            if refused:
                funnel.lose(refused, f"{self.name}/{path}")
            else:
                self.files.append(OnDisk(str(self.folder), path))


def repositories_in(folder: Path, which: Which, field: str) -> list[Repository]:
    """The repositories in a folder, by name. Raises UserError where there is none.

    `which`: the folder is one, or each folder in it; with `auto` each folder in it if one of these holds `.git` while
    the folder does not, or if it holds no files of its own.
    """
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "does not exist"
        raise UserError(
            f"{str(folder)!r} {what}; name a checkout, a folder of checkouts, or a .jsonl or .parquet file of Long "
            "Code Arena's rows",
            field=field,
        )
    inner: list[str] = []
    has_files = has_git = False
    try:
        with os.scandir(folder) as found:
            for entry in found:
                has_git = has_git or entry.name == ".git"
                if not entry.is_dir(follow_symlinks=False):
                    has_files = has_files or not entry.name.startswith(".")
                elif _is_own(entry.name):
                    inner.append(entry.name)
    except OSError as error:
        raise UserError(f"{str(folder)!r} cannot be read: {error.strerror}", field=field) from None
    if not inner and not has_files:
        raise UserError(f"{str(folder)!r} is empty; name a checkout, or a folder of checkouts", field=field)
    is_each = not has_git and (not has_files or any((folder / name / ".git").exists() for name in inner))
    if which == "one" or not inner or (which == "auto" and not is_each):
        return [Repository(_named(folder.resolve().name), folder)]
    return [Repository(name, folder / name) for name in sorted(inner)]


def _named(name: str) -> str:
    return name if name and is_unicode(name) else "repository"


def _is_own(name: str) -> bool:
    """Whether a folder is neither hidden nor other people's packages, and its name can be written."""
    return not name.startswith(".") and name not in FOREIGN and is_unicode(name)


def _entries(root: Path) -> Iterator[tuple[str, str]]:
    """Path of each file, and why it is refused; hidden and foreign folders are passed over as a whole."""
    waiting = [""]
    while waiting:
        prefix = waiting.pop()
        try:
            with os.scandir(root / prefix) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            yield prefix.rstrip("/"), f"is a folder that cannot be read: {error.strerror}"
            continue
        inner = []
        for entry in entries:
            path = prefix + entry.name
            if not is_unicode(entry.name):
                yield path, "has a name that is not UTF-8"
            elif entry.name.startswith(".") and not entry.is_dir(follow_symlinks=False):
                yield path, "is hidden"  # settings of tools, and sometimes secrets
            elif entry.is_symlink():
                yield path, "is a link"
            elif not entry.is_dir(follow_symlinks=False):
                yield path, _refused(entry)
            elif _is_own(entry.name):
                if prefix.count("/") >= _DEEPEST:
                    yield path, f"is a folder more than {_DEEPEST} folders deep"
                else:
                    inner.append(f"{path}/")
        waiting.extend(reversed(inner))


def _refused(entry: os.DirEntry[str]) -> str:
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if not stat.S_ISREG(status.st_mode):
        return "is no ordinary file"
    return _TOO_LONG if status.st_size > LONGEST_FILE else ""
