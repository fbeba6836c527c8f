"""A run's working folder on the host's disk: made, watched for its size, and removed whatever a payload built in it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

MOST_FILES, MOST_NESTED = 5_000, 64  # far more than tests write, few enough to be counted and removed at once


def used_bytes(folder: Path, most: int) -> int:
    """Bytes on disk below `folder`; stops counting beyond `most`.

    More than MOST_FILES files, or folders nested deeper than MOST_NESTED, count as more than `most`.
    """
    total, files, folders = 0, 0, [(str(folder), 0)]
    while folders:
        path, depth = folders.pop()
        # One that is gone meanwhile, or closed to its own user, who can then write nothing there either, is empty.
        with suppress(FileNotFoundError, NotADirectoryError, PermissionError), os.scandir(path) as entries:
            for entry in entries:
                state = entry.stat(follow_symlinks=False)
                total, files = total + state.st_blocks * 512, files + 1
                if stat.S_ISDIR(state.st_mode):
                    folders.append((entry.path, depth + 1))
                if total > most or files > MOST_FILES or depth > MOST_NESTED:
                    return most + 1
    return total


def unlinked_bytes(tree: Iterable[psutil.Process]) -> int:
    """Bytes of deleted files that these processes still hold open, which no folder shows."""
    held: dict[tuple[int, int], int] = {}
    for process in tree:
        with suppress(OSError), os.scandir(f"/proc/{process.pid}/fd") as handles:
            for handle in handles:
                with suppress(OSError):
                    state = handle.stat()
                    if stat.S_ISREG(state.st_mode) and state.st_nlink == 0:
                        held[state.st_dev, state.st_ino] = state.st_blocks * 512
    return sum(held.values())


def remove(folder: Path, last: str = "") -> None:
    """Delete `folder` however deep and closed it is, its file `last` after all others; only once no payload is alive.

    Each nested folder is first moved to the top, so no path grows long and no recursion deep.
    """
    top = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        waiting, moved = sorted(os.listdir(top), key=lambda name: name != last), 0
        while waiting:
            name = waiting.pop()
            if not stat.S_ISDIR(os.stat(name, dir_fd=top, follow_symlinks=False).st_mode):
                os.unlink(name, dir_fd=top)
                continue
            os.chmod(name, 0o700, dir_fd=top)
            inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=top)
            try:
                for entry in os.scandir(inner):
                    if entry.is_dir(follow_symlinks=False):
                        os.chmod(entry.name, 0o700, dir_fd=inner)  # moving a folder writes its `..`
                        moved += 1
                        new = f".removing-{moved}-{os.getpid()}"
                        os.rename(entry.name, new, src_dir_fd=inner, dst_dir_fd=top)
                        waiting.append(new)
                    else:
                        os.unlink(entry.name, dir_fd=inner)
            finally:
                os.close(inner)
            os.rmdir(name, dir_fd=top)
    finally:
        os.close(top)
    folder.rmdir()
