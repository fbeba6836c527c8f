"""Opens the database: WAL, foreign keys, short immediate writes, and migration under a lock after a backup."""

from __future__ import annotations

import fcntl
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlmodel import Session

MIGRATIONS = Path(__file__).parent / "migrations"
HEAD = "0015"  # the newest migration; a test compares it with what Alembic finds
BUSY_TIMEOUT_S = 30
FULL_BYTES = 1 << 20  # a disk with less free than this cannot take a change
# SQLite's errors about the disk and other processes, not about a query (https://sqlite.org/rescode.html)
OUTSIDE = frozenset(
    {
        sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL,
    }
)  # fmt: skip
NETWORK_FILESYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse", "fuse.sshfs", "lustre"})


class Unavailable(OSError):
    """The database cannot be read or written just now: disk full, locked for too long, or read-only."""


class Damaged(Unavailable):
    """The file is damaged, or is not a database."""


class Newer(Exception):
    """The database was made by a newer version of this program."""


class Database:
    """One SQLite file, opened by many threads and processes at once."""

    def __init__(self, path: Path) -> None:
        """Open the file; it is created or migrated first if necessary.

        Raises Unavailable on a full disk, Damaged on a damaged or foreign file, Newer on a database of a newer version.
        """
        self.path = path
        self.is_on_network = filesystem_of(path.parent) in NETWORK_FILESYSTEMS
        with _translated(path), _locked(path.with_name(f"{path.name}.lock")):
            found = version_of(path)
            if found != HEAD:
                _migrate(path, found)
            path.chmod(0o600)
            # WAL needs shared memory, which network file systems do not have.
            self._engine = _engine(path, journal="DELETE" if self.is_on_network else "WAL")
            self._engine.connect().close()  # a damaged file fails here, and not at a later query
        self._versions: sqlite3.Connection | None = None
        self._asking = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for queries; the rows can still be used after it. Raises Unavailable."""
        with _translated(self.path), Session(self._engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session for one short transaction; other writers wait meanwhile. Raises Unavailable."""
        engine = self._engine.execution_options(begin="IMMEDIATE")
        with _translated(self.path), Session(engine, expire_on_commit=False) as session:
            yield session
            session.commit()

    def data_version(self) -> int:
        """A number that changes with every commit to the file by any thread or process; takes 10 us.

        It can be compared within one process only (https://sqlite.org/pragma.html#pragma_data_version).
        """
        with self._asking:
            if self._versions is None:  # a separate connection, since a connection does not count its own commits
                self._versions = sqlite3.connect(self.path, timeout=0, check_same_thread=False)
            return int(self._versions.execute("PRAGMA data_version").fetchone()[0])

    def damage(self) -> str:
        """What SQLite finds wrong with the file; empty if nothing."""
        try:
            with _translated(self.path), self._engine.connect() as connection:
                found = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar())
        except Damaged as error:
            return str(error)
        return "" if found == "ok" else str(_damaged(self.path, found))

    def close(self) -> None:
        self._engine.dispose()
        with self._asking:
            if self._versions is not None:
                self._versions.close()
                self._versions = None


def version_of(path: Path) -> str:
    """The file's newest migration; empty for a new file. Raises sqlite3.DatabaseError on a foreign file."""
    if not path.exists():
        return ""
    with _connection(path) as connection:
        tables = [str(row[0]) for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        if not tables:
            return ""
        if "alembic_version" not in tables:
            raise sqlite3.DatabaseError(f"it contains tables of another program: {', '.join(tables[:3])}")
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else ""


def filesystem_of(folder: Path) -> str:
    """Type of the file system of a folder, as in /proc/mounts; empty if it is not known."""
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


def _migrate(path: Path, found: str) -> None:
    """Migrate the file from `found` to HEAD; a file with data is copied to `studio.before-HEAD.db` first."""
    from alembic import command  # slow to import, and rarely needed
    from alembic.config import Config

    if found and not any((MIGRATIONS / "versions").glob(f"{found}_*.py")):
        raise Newer(found)
    if found:
        _back_up(path, path.with_suffix(f".before-{HEAD}.db"))
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    # A rebuilt table is dropped first, which references to its rows would forbid; they are checked at the end.
    engine = _engine(path, journal="DELETE", foreign_keys="OFF")
    try:
        # One transaction, changes of tables included: a migration that fails or is killed changes nothing.
        with engine.execution_options(begin="IMMEDIATE").begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            assert not connection.exec_driver_sql("PRAGMA foreign_key_check").all(), "rows refer to deleted rows"
    finally:
        engine.dispose()


def _back_up(path: Path, backup: Path) -> None:
    """Copy the database; an older copy is kept until the new one is complete."""
    unfinished = backup.with_suffix(".tmp")
    unfinished.unlink(missing_ok=True)
    try:
        with _connection(path) as connection:
            if (result := connection.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
                raise sqlite3.DatabaseError(result)
            connection.execute("VACUUM INTO ?", (str(unfinished),))
        unfinished.replace(backup)
    finally:
        unfinished.unlink(missing_ok=True)


def _engine(path: Path, *, journal: str, foreign_keys: str = "ON") -> Engine:
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_TIMEOUT_S})

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None  # BEGIN is executed below
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_S * 1000}",
            f"journal_mode={journal}",
            f"foreign_keys={foreign_keys}",
            "synchronous=NORMAL",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        # A deferred transaction that reads first and writes later fails under WAL if another wrote: lock first.
        mode = connection.get_execution_options().get("begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {mode}")

    return engine


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Raise SQLite's errors about a full disk, a lock or a damaged file as our own; errors of queries are unchanged."""
    try:
        yield
    except (DatabaseError, sqlite3.DatabaseError) as error:
        original = getattr(error, "orig", error)
        if getattr(original, "sqlite_errorcode", 0) & 0xFF in OUTSIDE:  # the lowest byte; the others are details
            raise _unavailable(path, str(original)) from error
        if type(original) is sqlite3.DatabaseError:
            raise _damaged(path, str(original)) from error
        raise


def _unavailable(path: Path, message: str) -> Unavailable:
    free = shutil.disk_usage(path.parent).free
    if free < FULL_BYTES or "full" in message:
        return Unavailable(
            f"the disk is full: {path.parent} has {free:,} bytes free, so nothing can be stored; free some space, and "
            "work continues by itself"
        )
    return Unavailable(f"the database {path} cannot be used now: {message}")


def _damaged(path: Path, message: str) -> Damaged:
    copies = ", ".join(copy.name for copy in sorted(path.parent.glob(f"{path.stem}.before-*.db")))
    advice = f"replace it by a copy (there is {copies})" if copies else "replace it by a copy of your own"
    found = " ".join(message.split())
    return Damaged(
        f"{path} is damaged or not a database of Repair Studio ({found}); {advice}, or choose another --home"
    )


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
