"""SQLite with many threads and processes: no lost update, no race at creation, the same schema by any migration."""

from __future__ import annotations

import multiprocessing
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import OperationalError
from sqlmodel import SQLModel

from storage.database import HEAD, MIGRATIONS, Damaged, Database, Unavailable, filesystem_of, version_of
from storage.tables import Metric, Run


def _increment(path: str, times: int) -> None:
    database = Database(Path(path))
    for _ in range(times):
        with database.write() as session:
            run = session.get_one(Run, 1)
            run.progress_done += 1


def _open(path: str, start) -> None:
    start.wait()
    Database(Path(path)).close()


def together(target, *args, n=8):
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=target, args=args) for _ in range(n)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    return [process.exitcode for process in processes]


def test_no_update_is_lost(tmp_path):
    path = tmp_path / "studio.db"
    database = Database(path)
    with database.write() as session:
        session.add(Run(kind="train", name="a", state="queued", created_at=0.0))
    database.close()
    assert together(_increment, str(path), 200) == [0] * 8
    with Database(path).read() as session:
        assert session.get_one(Run, 1).progress_done == 1600


def test_eight_processes_create_the_same_database(tmp_path):
    context = multiprocessing.get_context("fork")
    for attempt in range(3):
        start = context.Event()
        path = str(tmp_path / f"{attempt}.db")
        processes = [context.Process(target=_open, args=(path, start)) for _ in range(8)]
        for process in processes:
            process.start()
        start.set()
        for process in processes:
            process.join(60)
        assert [process.exitcode for process in processes] == [0] * 8


def test_the_migrations_end_where_the_tables_are(tmp_path):
    Database(tmp_path / "studio.db").close()
    from sqlalchemy import create_engine

    with create_engine(f"sqlite:///{tmp_path / 'studio.db'}").connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []


def test_head_is_the_newest_migration():
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_a_killed_migration_leaves_no_half_schema(tmp_path, monkeypatch):
    from alembic import command

    path, real = tmp_path / "studio.db", command.upgrade

    def torn(config, revision):
        real(config, revision)
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "upgrade", torn)
    with pytest.raises(KeyboardInterrupt):
        Database(path)
    monkeypatch.setattr(command, "upgrade", real)
    assert version_of(path) == ""
    Database(path).close()
    assert version_of(path) == HEAD


def test_rows_point_at_rows_that_exist(tmp_path):
    database = Database(tmp_path / "studio.db")
    with pytest.raises(Exception, match="FOREIGN KEY"), database.write() as session:
        session.add(Metric(run_id=99, seq=1, step=1, name="loss", value=1.0, time=0.0))


def test_only_its_owner_reads_the_file(tmp_path):
    Database(tmp_path / "studio.db").close()
    assert (tmp_path / "studio.db").stat().st_mode & 0o077 == 0


def test_it_is_write_ahead_on_a_local_disk(tmp_path):
    Database(tmp_path / "studio.db").close()
    assert sqlite3.connect(tmp_path / "studio.db").execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_network_filesystem_gets_no_write_ahead_log(tmp_path, monkeypatch):
    monkeypatch.setattr("storage.database.filesystem_of", lambda folder: "nfs4")
    database = Database(tmp_path / "studio.db")
    assert database.is_on_network
    assert sqlite3.connect(tmp_path / "studio.db").execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_the_filesystem_of_a_folder_is_known():
    assert filesystem_of(Path("/proc")) == "proc"


def test_a_full_disk_is_the_outsides_fault_and_writing_resumes_when_there_is_room(tmp_path):
    database = Database(tmp_path / "studio.db")

    def fill(pages):
        with database.read() as session:  # SQLite's own limit on the file stands for the disk
            session.connection().exec_driver_sql(f"PRAGMA max_page_count={pages}")

    def write(name):
        with database.write() as session:
            session.add(Run(kind="train", name=name, state="queued", created_at=0.0))

    fill(1)
    with pytest.raises(Unavailable, match="full"):
        write("x" * 100_000)
    with database.read() as session:
        assert session.get(Run, 1) is None
    fill(1_000_000)
    write("y")
    with database.read() as session:
        assert session.get_one(Run, 1).name == "y"


def test_a_wrong_question_is_no_trouble_of_the_disks(tmp_path):
    database = Database(tmp_path / "studio.db")
    with pytest.raises(OperationalError, match="no such table: recipes"), database.read() as session:
        session.connection().exec_driver_sql("SELECT * FROM recipes")


def test_the_database_of_another_program_is_not_changed(tmp_path):
    path = tmp_path / "studio.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE recipes (name TEXT)")
    database.close()
    with pytest.raises(Damaged, match="tables of another program: recipes"):
        Database(path)
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT name FROM sqlite_master").fetchall() == [("recipes",)]


def test_only_a_file_without_tables_is_new(tmp_path, monkeypatch):
    path = tmp_path / "studio.db"
    Database(path).close()
    locked = sqlite3.connect(path)
    locked.execute("PRAGMA locking_mode=EXCLUSIVE")
    locked.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr("storage.database.BUSY_TIMEOUT_S", 0.1)
    with pytest.raises(Unavailable, match="cannot be used now"):
        Database(path)
    locked.close()
    Database(path).close()
    assert not list(tmp_path.glob("*.before-*"))
