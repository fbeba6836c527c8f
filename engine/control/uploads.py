"""Files uploaded through the browser; they are not deleted, because the spec of a dataset refers to their path."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from engine.errors import OutsideFailure, UserError

LARGEST_BYTES = 4 << 30
KEPT_FREE_BYTES = 500 << 20  # of the disk
CHECK_BYTES = 64 << 20  # after which the free disk space is checked again


class Upload:
    """One file that is being received."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path, self._file = path, file
        self._bytes = self._checked = 0

    def write(self, piece: bytes) -> None:
        """Raises UserError on a file that is too large, OutsideFailure on a full disk."""
        self._bytes += len(piece)
        if self._bytes > LARGEST_BYTES:
            raise UserError(f"the file is larger than {LARGEST_BYTES >> 30} GiB; enter its path on this machine")
        if self._bytes - self._checked > CHECK_BYTES or not self._checked:
            self._checked = self._bytes
            if shutil.disk_usage(self.path.parent).free < KEPT_FREE_BYTES:
                raise OutsideFailure(f"the disk of {self.path.parent} is nearly full; free some space and try again")
        self._file.write(piece)


class Uploads:
    """The folder of received files in a home."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "uploads"

    def tidy(self) -> None:
        """Remove what a server that was killed had received in part; call it before anything is served."""
        for part in self._folder.glob("*.part"):
            part.unlink(missing_ok=True)

    @contextmanager
    def receive(self, name: str) -> Iterator[Upload]:
        """A new file of about this name in a folder of its own; it is there only when all of it has come."""
        plain = re.sub(r"[^A-Za-z0-9._-]+", "_", Path(name.replace("\\", "/")).name)[-80:].lstrip(".")
        if not plain:
            raise UserError("the file has no name; choose another file")
        folder = self._folder / secrets.token_hex(4)  # so that messages and samples call the file as its owner does
        folder.mkdir(parents=True)
        path = folder / plain
        part = path.with_name(f"{path.name}.part")
        try:
            with part.open("xb") as file:
                yield Upload(path, file)
            part.rename(path)
        finally:
            part.unlink(missing_ok=True)
            if not path.exists():
                folder.rmdir()

    def holds(self, path: Path) -> bool:
        """Whether a path is that of a received file."""
        return path.parent.parent == self._folder and ".." not in path.parts

    def forget(self, path: Path) -> None:
        """Remove a received file; a path that leads elsewhere is left alone."""
        if self.holds(path):
            shutil.rmtree(path.parent, ignore_errors=True)
