"""Repositories on this disk: their files by path, read when they are needed; links are never followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from engine.benchmarks.runners.project_files import FOREIGN
from engine.builders import Funnel
from engine.builders.composing import File
from engine.builders.source_files import LONGEST_FILE, language_of
from engine.errors import UserError
from engine.params import is_unicode
from engine.reading import open_regular

MOST_FILES = 100_000  # of a repository; each takes about 200 bytes
_DEEPEST = 100  # folders inside each other
LEFT_OUT = "files that no context can have"  # a table of the report
NO_TEXT = "is no text in UTF-8"
_TOO_LONG = f"is longer than {LONGEST_FILE >> 20} MiB"
_LOOKED_AT = 2000  # entries of a folder, to see whether it is a repository itself


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


def repositories_in(folder: Path, field: str) -> list[Repository]:
    """The folder itself where it holds `.git` or code, else each folder in it, by name. Raises UserError if none is."""
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "does not exist"
        raise UserError(
            f"{str(folder)!r} {what}; name a folder with one or more checkouts, or a .jsonl or .parquet file of "
            "Long Code Arena's rows",
            field=field,
        )
    inner: list[str] = []
    try:
        with os.scandir(folder) as found:
            for number, entry in enumerate(found):
                is_folder = entry.is_dir(follow_symlinks=False)
                is_code = bool(language_of(entry.name)) and number < _LOOKED_AT and entry.is_file(follow_symlinks=False)
                if entry.name == ".git" or is_code:
                    return [Repository(_named(folder.resolve().name), folder)]
                if is_folder and _is_own(entry.name):
                    inner.append(entry.name)
    except OSError as error:
        raise UserError(f"{str(folder)!r} cannot be read: {error.strerror}", field=field) from None
    if not inner:
        raise UserError(
            f"{str(folder)!r} holds no code and no folder; name a folder with one or more checkouts", field=field
        )
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
