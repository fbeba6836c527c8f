"""Temporary folders that are found and removed if the process that made them was killed.

Each contains a file `.owner` that its process keeps locked (flock): if it is not locked, the process has ended.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path

from engine.sandboxes.folder import remove
from engine.sandboxes.identity import reachable_parent

PREFIX = "repair-studio-"
OWNER = ".owner"


class TemporaryFolder:
    """A new folder, removed by `cleanup` or when this process ends; if the process is killed, by `sweep`."""

    def __init__(self, what: str, parent: str | None = None, mode: int = 0o700) -> None:
        """`what`: its purpose, which becomes part of its name. Raises OSError if it cannot be created."""
        self.path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{what}-", dir=parent))
        # Locked before it has its name: a folder with an unlocked owner file may be removed by any process.
        unlocked = self.path / f"{OWNER}.tmp"
        lock = os.open(unlocked, os.O_RDWR | os.O_CREAT, 0o600)
        self._removal = weakref.finalize(self, _removed, self.path, lock)
        fcntl.flock(lock, fcntl.LOCK_EX)
        unlocked.rename(self.path / OWNER)
        self.path.chmod(mode)

    def cleanup(self) -> None:
        self._removal()


@contextmanager
def folders_of(module: str) -> Iterator[None]:
    """Import a module, if it is installed, that makes temporary folders as it is imported, and leaves them where a
    process is killed: they lie in one of ours, which is removed after this context."""
    ours = TemporaryFolder(module)
    before, tempfile.tempdir = tempfile.tempdir, str(ours.path)
    try:
        with suppress(ImportError):
            import_module(module)
    finally:
        tempfile.tempdir = before
    try:
        yield
    finally:
        ours.cleanup()


def _removed(folder: Path, lock: int) -> None:
    with suppress(OSError):
        remove(folder, last=OWNER)
    os.close(lock)


def sweep() -> int:
    """Remove the temporary folders of this user's killed processes; returns how many."""
    removed = 0
    for parent in {Path(parent).resolve() for parent in (tempfile.gettempdir(), reachable_parent())}:
        for folder in parent.glob(f"{PREFIX}*"):
            with suppress(OSError):
                removed += _remove_if_unowned(folder)
    return removed


def _remove_if_unowned(folder: Path) -> bool:
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        return False
    # Folders of the first version and those that are being created have no owner file, and are not removed.
    lock = os.open(folder / OWNER, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        remove(folder, last=OWNER)  # the owner file is last, so that a folder removed in part is found again
        return True
    finally:
        os.close(lock)
