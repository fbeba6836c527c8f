"""Temporary folders that are found and removed when the process that made them was killed.

Each holds a file `.owner` that its process keeps locked (flock): a folder whose lock can be had has lost its owner.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path

from engine.sandboxes.folder import remove
from engine.sandboxes.identity import reachable_parent

PREFIX = "repair-studio-"
OWNER = ".owner"


class TemporaryFolder:
    """A new folder, removed by `cleanup`, at the latest when this process ends; or by `sweep` if it was killed."""

    def __init__(self, what: str, parent: str | None = None, mode: int = 0o700) -> None:
        """`what` it is for becomes part of its name. Raises OSError where no folder can be made."""
        self.path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{what}-", dir=parent))
        # Locked before it has its name: whoever finds an owner's file whose lock can be had may remove the folder.
        unlocked = self.path / f"{OWNER}.tmp"
        lock = os.open(unlocked, os.O_RDWR | os.O_CREAT, 0o600)
        self._removal = weakref.finalize(self, _removed, self.path, lock)
        fcntl.flock(lock, fcntl.LOCK_EX)
        unlocked.rename(self.path / OWNER)
        self.path.chmod(mode)

    def cleanup(self) -> None:
        self._removal()


def _removed(folder: Path, lock: int) -> None:
    with suppress(OSError):
        remove(folder, last=OWNER)
    os.close(lock)


def sweep() -> int:
    """Remove the temporary folders that killed processes of this user left behind; returns how many."""
    removed = 0
    for parent in {Path(parent).resolve() for parent in (tempfile.gettempdir(), reachable_parent())}:
        for folder in parent.glob(f"{PREFIX}*"):
            with suppress(OSError):
                removed += _remove_if_left(folder)
    return removed


def _remove_if_left(folder: Path) -> bool:
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        return False
    # The first version's folders have no owner file, and neither has one that is being made: both are left alone.
    lock = os.open(folder / OWNER, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        remove(folder, last=OWNER)  # what cannot be removed now has to be found at the next sweep
        return True
    finally:
        os.close(lock)
