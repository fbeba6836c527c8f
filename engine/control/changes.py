"""Whether anything that a page shows may have changed, told without drawing it."""

from __future__ import annotations

import hashlib
import os
import secrets
import sqlite3
import threading
from pathlib import Path

from engine.rundir import ACTIVE
from storage import queries
from storage.database import Database


class Changes:
    """A short text that is another one whenever the database, or a file of a run at work that pages show, is."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._process = secrets.token_hex(4)  # versions of the database count from anew in every process
        self._version = -1
        self._files: list[Path] = []
        self._lock = threading.Lock()

    def stamp(self) -> str:
        """Cheap enough to be asked by every open page once a second: one pragma, and one stat a file at work."""
        with self._lock:
            try:
                version = self._database.data_version()
                if version != self._version:
                    self._files = self._at_work()
                    self._version = version
            except (sqlite3.OperationalError, OSError):
                pass  # the database is busy or its disk is full: what is not known to have changed has not
            sizes = [_size(path) for path in self._files]
            text = repr((self._process, self._version, sizes))
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    def _at_work(self) -> list[Path]:
        """The files of active runs that pages read themselves: the log, and what is said in a chat."""
        with self._database.read() as session:
            runs = queries.runs_in(session, ACTIVE)
        files = []
        for run in runs:
            files += [Path(run.folder) / name for name in ("log.txt", *(CHAT_FILES if run.kind == "chat" else ()))]
        return files


CHAT_FILES = ("events.jsonl", "inbox.jsonl")


def _size(path: Path) -> tuple[int, int]:
    """(bytes, time of the last change in ns) of a file; zeros where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns
