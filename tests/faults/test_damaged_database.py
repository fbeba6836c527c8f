"""A database with broken pages is reported as damaged by every verb that reads them."""

from __future__ import annotations

import sqlite3
import subprocess
import sys

import pytest

from engine.control.workspace import Workspace
from engine.spec_files import read_spec

PAGE = 4096


@pytest.fixture
def damaged(home):
    """A home whose tables of runs, patches and models are overwritten; the file's header is whole."""
    workspace = Workspace(home)
    for _ in range(40):
        workspace.runs.submit(read_spec("benchmark"))
    workspace.close()
    path = home / "studio.db"
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        roots = [
            row[0] for row in database.execute("SELECT rootpage FROM sqlite_master WHERE name IN ('run', 'model')")
        ]
    database.close()
    with path.open("r+b") as file:
        for root in roots:
            file.seek((root - 1) * PAGE)
            file.write(b"\xa5" * PAGE)
    return home


@pytest.mark.parametrize(
    "words",
    [["runs", "list"], ["runs", "show", "1"], ["benchmark"], ["export", "1"], ["demo"], ["runs", "resume", "1"]],
)
def test_the_shell_reports_it_in_one_sentence(damaged, words):
    done = subprocess.run(
        [sys.executable, "-m", "engine", *words, "--home", str(damaged)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert done.stderr.count("studio.db is damaged") == 1
    assert "replace it by a copy" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_studio_does_not_start_on_it(damaged):
    done = subprocess.run(
        [sys.executable, "-m", "studio", "--home", str(damaged), "--port", "17871"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert "studio.db is damaged" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
