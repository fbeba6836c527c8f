"""Writes and reads files of a run's working folder through an open folder handle, so that no link is followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath


def checked(path: str) -> tuple[str, ...]:
    """The parts of a relative path. Raises ValueError for absolute ones, `..`, NUL, and nothing at all."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\0" in path:
        raise ValueError(f"not a path inside the working folder: {path!r}")
    return parts


def fill(box: int, files: Mapping[str, bytes], owner: int | None) -> None:
    """Write `files` below the open folder `box`, before any payload runs there; folders are made on the way."""
    for path, content in files.items():
        *folders, name = checked(path)
        here = os.dup(box)
        try:
            for folder in folders:
                try:
                    os.mkdir(folder, 0o755, dir_fd=here)
                    _give(folder, here, owner)
                except FileExistsError:
                    pass
                here, outer = os.open(folder, os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here), here
                os.close(outer)
            # O_EXCL: two spellings of one path are a mistake of the caller.
            with os.fdopen(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644, dir_fd=here), "wb") as file:
                file.write(content)
            _give(name, here, owner)
        finally:
            os.close(here)


def _give(name: str, folder: int, owner: int | None) -> None:
    if owner is not None:
        os.chown(name, owner, owner, dir_fd=folder, follow_symlinks=False)


def collect(box: int, paths: Sequence[str], most: int) -> tuple[dict[str, bytes], list[str]]:
    """The regular files among `paths`, and the paths that hold anything else or more than `most` bytes.

    A path where nothing lies is in neither. Only for a box whose processes are all dead.
    """
    contents: dict[str, bytes] = {}
    invalid: list[str] = []
    for path in paths:
        try:
            content = _read(box, path, most)
        except FileNotFoundError:
            continue
        except OSError:  # ELOOP: a link on the way; ENXIO: a socket; EACCES: made unreadable
            content = None
        if content is None:
            invalid.append(path)
        else:
            contents[path] = content
    return contents, invalid


def _read(box: int, path: str, most: int) -> bytes | None:
    *folders, name = checked(path)
    here = os.dup(box)
    try:
        for folder in folders:
            here, outer = os.open(folder, os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here), here
            os.close(outer)
        if not stat.S_ISREG(os.stat(name, dir_fd=here, follow_symlinks=False).st_mode):
            return None  # asked before opening: opening a device can already act
        with os.fdopen(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=here), "rb") as file:
            is_regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            content = file.read(most + 1) if is_regular else b""
            return content if is_regular and len(content) <= most else None
    finally:
        os.close(here)
