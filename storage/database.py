"""Opening the database: WAL, foreign keys, short immediate writes, and migration under a lock after a backup."""

from __future__ import annotations

import fcntl
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

MIGRATIONS = Path(__file__).parent / "migrations"
HEAD = "0001"  # the newest migration; a test compares it with what Alembic finds
BUSY_TIMEOUT_S = 30
NETWORK_FILESYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse", "fuse.sshfs", "lustre"})


class Unavailable(OSError):
    """The database cannot be read or written just now: disk full, locked for too long, or read-only."""


class Newer(Exception):
    """The database was made by a newer version of this program."""


class Database:
    """One SQLite file, opened by many threads and processes at once."""

    def __init__(self, path: Path) -> None:
        """Open the file, made or migrated first if need be.

        Raises sqlite3.DatabaseError on a damaged file, Newer on one that this version does not understand.
        """
        self.path = path
        self.is_on_network = filesystem_of(path.parent) in NETWORK_FILESYSTEMS
        with _locked(path.with_name(f"{path.name}.lock")):
            if version_of(path) != HEAD:
                _migrate(path)
            path.chmod(0o600)
        # WAL needs shared memory, which no network share has.
        self._engine = _engine(path, journal="DELETE" if self.is_on_network else "WAL")
        self._engine.connect().close()  # a damaged file fails here and not in the middle of something
        self._versions: sqlite3.Connection | None = None
        self._asking = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for questions; the rows stay usable after it. Raises Unavailable."""
        with _translated(self.path), Session(self._engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session for one short change, all of it or nothing; other writers wait meanwhile. Raises Unavailable."""
        engine = self._engine.execution_options(begin="IMMEDIATE")
        with _translated(self.path), Session(engine, expire_on_commit=False) as session:
            yield session
            session.commit()

    def data_version(self) -> int:
        """A number that is another one after every commit to the file, by whatever thread or process; costs 10 us.

        It means something within one process only (https://sqlite.org/pragma.html#pragma_data_version).
        """
        with self._asking:
            if self._versions is None:  # a connection of its own, since a connection does not count its own commits
                self._versions = sqlite3.connect(self.path, timeout=0, check_same_thread=False)
            return int(self._versions.execute("PRAGMA data_version").fetchone()[0])

    def damage(self) -> str:
        """What SQLite finds wrong with the file; empty where it is whole."""
        with self._engine.connect() as connection:
            found = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar())
        return "" if found == "ok" else found

    def close(self) -> None:
        self._engine.dispose()
        with self._asking:
            if self._versions is not None:
                self._versions.close()
                self._versions = None


def version_of(path: Path) -> str:
    """The migration the file stands at; empty for a new or foreign file."""
    if not path.exists():
        return ""
    with _connection(path) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError:
            return ""
    return str(row[0]) if row else ""


def filesystem_of(folder: Path) -> str:
    """Type of the filesystem a folder lies on, as /proc/mounts names it; empty where that is not known."""
    folder = folder.resolve()
    best, kind = "", ""
    try:
        mounts = Path("/proc/mounts").read_text(encoding="utf-8")
    except OSError:
        return ""
    for line in mounts.splitlines():
        _, where, this, *_ = line.split()
        where = where.replace("\\040", " ")
        if folder.is_relative_to(where) and len(where) >= len(best):
            best, kind = where, this
    return kind


def _migrate(path: Path) -> None:
    """Bring the file to HEAD; an older one is copied aside first and put back if the migration fails."""
    from alembic import command  # slow to import, and hardly ever needed
    from alembic.config import Config

    found = version_of(path)
    if found and not any((MIGRATIONS / "versions").glob(f"{found}_*.py")):
        raise Newer(found)
    backup = path.with_suffix(f".before-{HEAD}")
    had_one = found != ""
    if had_one and not backup.exists():
        with _connection(path) as connection:
            if connection.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError(f"{path} is damaged; restore it from a backup")
            connection.execute("VACUUM INTO ?", (str(backup),))
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = _engine(path, journal="DELETE")
    try:
        # SQLite's schema changes are transactional, so a killed migration leaves the old schema behind.
        with engine.execution_options(begin="IMMEDIATE").begin() as connection_:
            config.attributes["connection"] = connection_
            command.upgrade(config, "head")
    except BaseException:
        engine.dispose()
        if had_one:
            backup.replace(path)
        raise
    engine.dispose()


def _engine(path: Path, *, journal: str) -> Engine:
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_TIMEOUT_S})

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_S * 1000}",
            f"journal_mode={journal}",
            "foreign_keys=ON",
            "synchronous=NORMAL",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        # A deferred transaction that reads first and writes later loses updates under WAL: take the lock first.
        mode = connection.get_execution_options().get("begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {mode}")

    return engine


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """What SQLAlchemy says of a full disk or a lock, as the operating system would say it."""
    try:
        yield
    except OperationalError as error:
        raise Unavailable(f"the database {path} cannot be used now: {error.orig}") from error


@contextmanager
def _connection(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
