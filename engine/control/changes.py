"""Tells whether anything that a page shows may have changed, without drawing it."""

from __future__ import annotations

import hashlib
import os
import secrets
import sqlite3
import threading
from pathlib import Path

from engine.rundir import ACTIVE
from storage import queue
from storage.database import Database


class Changes:
    """Makes a short text that changes whenever the database, or a file of an active run that pages show, changes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._process = secrets.token_hex(4)  # versions of the database start at 1 again in every process
        self._version = -1
        self._files: list[Path] = []
        self._lock = threading.Lock()

    def stamp(self) -> str:
        """The text now. Cheap enough for every open page to ask once a second: one pragma, and one stat per file."""
        with self._lock:
            try:
                version = self._database.data_version()
                if version != self._version:
                    self._files = self._active_files()
                    self._version = version
            except (sqlite3.OperationalError, OSError):
                pass  # the database is busy or its disk is full: nothing is known to have changed
            sizes = [_size(path) for path in self._files]
            text = repr((self._process, self._version, sizes))
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    def _active_files(self) -> list[Path]:
        """The files of active runs that pages read themselves: the log, and the events and questions of a chat."""
        with self._database.read() as session:
            folders = queue.folders_in(session, ACTIVE)
        files = []
        for kind, folder in folders:
            files += [Path(folder) / name for name in ("log.txt", *(CHAT_FILES if kind == "chat" else ()))]
        return files


CHAT_FILES = ("events.jsonl", "inbox.jsonl")


def _size(path: Path) -> tuple[int, int]:
    """(bytes, time of the last change in ns) of a file; zeros if there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns
