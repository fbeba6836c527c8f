"""Temporary folders are removed after the process that made them, however it ended."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from engine.temporary import OWNER, TemporaryFolder, folders_of, sweep

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


def test_a_folder_is_not_swept_while_it_is_being_made(parent, monkeypatch):
    """Another process sweeps after the owner's file is there and before it is locked."""

    def swept():
        here = f"temporary.reachable_parent = lambda: {str(parent)!r}"  # not where the other tests are at work
        code = f"from engine import temporary; {here}; print(temporary.sweep())"
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    lock, meanwhile = fcntl.flock, []
    monkeypatch.setattr(fcntl, "flock", lambda *given: (meanwhile.append(swept()), lock(*given)))
    folder = TemporaryFolder("tools")
    assert [*meanwhile, swept()] == ["0\n", "0\n"]
    assert [path.name for path in folder.path.iterdir()] == [OWNER]


def test_what_could_not_be_removed_is_found_again(parent, monkeypatch):
    """The owner's file goes last: without it nobody would know the folder again."""
    process = subprocess.Popen([sys.executable, "-c", MAKES], stdout=subprocess.PIPE, text=True)
    left = Path(process.stdout.readline().strip())
    process.kill()
    process.wait()
    with monkeypatch.context() as broken:

        def refuse(*given, **named):
            raise OSError("a payload writes there still")

        broken.setattr(os, "rmdir", refuse)
        assert sweep() == 0
    assert left.exists()
    assert sweep() == 1
    assert list(parent.iterdir()) == []


def test_folders_without_an_owner_and_links_are_left_alone(parent, tmp_path):
    (parent / "repair-studio-somebodys").mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / OWNER).touch()
    (parent / "repair-studio-link").symlink_to(elsewhere)
    assert sweep() == 0
    assert elsewhere.exists()


MAKES_ITS_OWN = "import tempfile\nHERE = tempfile.TemporaryDirectory()\n"


def test_folders_that_a_library_makes_as_it_is_imported_last_no_longer_than_the_work(parent, tmp_path, monkeypatch):
    (tmp_path / "makes_its_own.py").write_text(MAKES_ITS_OWN)
    monkeypatch.syspath_prepend(tmp_path)
    with folders_of("makes_its_own"):
        import makes_its_own

        made = Path(makes_its_own.HERE.name)
        assert made.is_dir()
        assert made.parent.parent == parent
        assert tempfile.gettempdir() == str(parent)
    assert list(parent.iterdir()) == []
    with folders_of("nobody_has_installed_this"):
        pass
    assert list(parent.iterdir()) == []


def test_they_are_swept_after_a_process_that_was_killed(parent, tmp_path):
    (tmp_path / "makes_its_own.py").write_text(MAKES_ITS_OWN)
    kills_itself = (
        "import os, signal; from engine.temporary import folders_of\n"
        "with folders_of('makes_its_own'): os.kill(os.getpid(), signal.SIGKILL)"
    )
    path = f"{tmp_path}{os.pathsep}{Path(__file__).parents[1]}"
    subprocess.run([sys.executable, "-c", kills_itself], env={**os.environ, "PYTHONPATH": path}, check=False)
    (left,) = parent.iterdir()
    assert [each.name for each in left.iterdir()] != [OWNER]
    assert sweep() == 1
    assert list(parent.iterdir()) == []
