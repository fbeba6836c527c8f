"""What a long build has found out so far: JSON lines, of which a killed build loses at most the last."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from threading import Lock
from typing import Any


class Ledger:
    """Key -> what is known, appended as soon as it is known. Safe to use from several threads."""

    def __init__(self, path: Path, about: str) -> None:
        """`about`: what was asked, as a hash; a ledger about something else is begun anew."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._writing = Lock()
        self._known = _read(self._path)
        if self._known.get("about") != about:
            if self._known:  # else another process may just have begun it
                self._path.unlink(missing_ok=True)
            self._known = {}
            self.put("about", about)

    @staticmethod
    def about(path: Path) -> str | None:
        """What the ledger in a file is about; None where there is none."""
        return _read(path).get("about")

    def take_over(self, path: Path) -> None:
        """What another ledger about the same has found out, and this one has not; nothing where it is about another."""
        others = _read(path)
        if others.get("about") == self._known.get("about"):
            for key, value in others.items():
                if key not in self._known:
                    self.put(key, value)

    def get(self, key: str) -> Any:
        """What is known, or None."""
        return self._known.get(key)

    def put(self, key: str, value: Any) -> None:
        """Raises OSError where it cannot be written."""
        line = json.dumps([key, value], separators=(",", ":")).encode() + b"\n"
        with self._writing:
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                if os.write(file, line) < len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
            finally:
                os.close(file)
            self._known[key] = value


def _read(path: Path) -> dict[str, Any]:
    """Of each key the last value; a line that was cut off, or is damaged otherwise, is not read."""
    known: dict[str, Any] = {}
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return known
    for line in content.split(b"\n"):
        try:
            key, value = json.loads(line)
            known[key] = value
        except (ValueError, TypeError, RecursionError):
            continue
    if content and not content.endswith(b"\n"):
        with path.open("ab") as file:
            file.write(b"\n")  # what is appended next is a line of its own
    return known
