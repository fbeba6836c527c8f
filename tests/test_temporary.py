"""Temporary folders go with the process that made them, however it ends."""

from __future__ import annotations

import subprocess
import sys
import tempfile

import pytest

from engine.temporary import OWNER, TemporaryFolder, sweep

MAKES = (
    "import sys, time; from engine.temporary import TemporaryFolder\n"
    "folder = TemporaryFolder('tools'); (folder.path / 'deep' / 'er').mkdir(parents=True)\n"
    "print(folder.path, flush=True); time.sleep(60)"
)


@pytest.fixture(autouse=True)
def parent(tmp_path, monkeypatch):
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr("engine.temporary.reachable_parent", lambda: str(folder))
    return folder


def test_it_is_removed_when_it_is_given_back(parent):
    folder = TemporaryFolder("tools", mode=0o755)
    assert folder.path.parent == parent
    assert folder.path.stat().st_mode & 0o777 == 0o755
    assert (folder.path / OWNER).stat().st_mode & 0o777 == 0o600
    folder.cleanup()
    assert list(parent.iterdir()) == []


def test_one_of_a_killed_process_is_swept_and_one_of_a_living_is_not(parent):
    mine = TemporaryFolder("tools")
    process = subprocess.Popen([sys.executable, "-c", MAKES], stdout=subprocess.PIPE, text=True)
    theirs = process.stdout.readline().strip()
    assert sweep() == 0
    process.kill()
    process.wait()
    assert sweep() == 1
    assert [str(path) for path in parent.iterdir()] == [str(mine.path)] != [theirs]
    assert mine.path.exists()


def test_folders_without_an_owner_and_links_are_left_alone(parent, tmp_path):
    (parent / "repair-studio-somebodys").mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / OWNER).touch()
    (parent / "repair-studio-link").symlink_to(elsewhere)
    assert sweep() == 0
    assert elsewhere.exists()
