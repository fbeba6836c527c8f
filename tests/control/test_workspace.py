"""One studio per home, and clear messages for a home that cannot be used."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest

from engine.control.workspace import Workspace
from engine.errors import UserError
from storage.database import Unavailable


def test_a_second_studio_is_refused_and_the_first_is_named(workspace):
    workspace.claim("http://127.0.0.1:7860")
    code = (
        f"from pathlib import Path; from engine.control.workspace import Workspace\n"
        f"Workspace(Path({str(workspace.home)!r})).claim('http://127.0.0.1:7861')"
    )
    refused = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "is already served at http://127.0.0.1:7860 by process" in refused.stderr


def test_a_claim_ends_with_its_studio(home):
    first = Workspace(home)
    first.claim("a")
    first.close()
    Workspace(home).claim("b")


def test_a_home_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be used"):
        Workspace(tmp_path / "file")


def test_a_database_that_is_none_is_refused(home):
    home.mkdir()
    (home / "studio.db").write_text("this is not a database, it is a text of some length\n" * 50)
    with pytest.raises(UserError, match="is damaged or not a database of Repair Studio"):
        Workspace(home)


def test_a_database_of_a_newer_studio_is_not_changed(home):
    Workspace(home).close()
    with sqlite3.connect(home / "studio.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(UserError, match="made by a newer Repair Studio"):
        Workspace(home)


def test_watching_continues_after_a_full_disk_and_after_an_internal_error(workspace, monkeypatch, capsys):
    troubles = [Unavailable("database or disk is full"), KeyError("ours")]
    looked = threading.Event()

    def tick():
        if troubles:
            raise troubles.pop(0)
        looked.set()

    monkeypatch.setattr("engine.control.workspace.ERROR_PAUSE_S", 0.01)
    monkeypatch.setattr(workspace, "tick", tick)
    ended = workspace.watch(period_s=0.01)
    assert looked.wait(10)
    ended.set()
    assert "supervisor: database or disk is full" in capsys.readouterr().out


def test_the_home_is_its_owners_alone(workspace):
    assert workspace.home.stat().st_mode & 0o077 == 0


def test_the_machine_is_checked_once_but_its_free_disk_each_time(workspace, monkeypatch):
    first = workspace.machine()
    monkeypatch.setattr("engine.machine.report", lambda home: 1 / 0)
    monkeypatch.setattr("shutil.disk_usage", lambda home: SimpleNamespace(free=7))
    assert workspace.machine() == replace(first, free_disk_bytes=7)
