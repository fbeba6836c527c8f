"""The working folder on disk: its size is measured, and it is removed whatever was made in it."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil
import pytest

from engine.sandboxes import folder as folders
from engine.sandboxes.folder import remove, unlinked_bytes, used_bytes

DEEP = "import os\nfor _ in range(1200):\n    os.mkdir('d'); os.chdir('d')\nopen('f', 'w').close()"


@pytest.fixture
def box(tmp_path):
    folder = tmp_path / "box"
    folder.mkdir()
    return folder


def test_bytes_are_counted_in_every_folder_and_links_are_not_followed(box, tmp_path):
    (tmp_path / "outside").write_bytes(bytes(1 << 20))
    (box / "a/b").mkdir(parents=True)
    (box / "a/b/c").write_bytes(bytes(100_000))
    (box / "link").symlink_to(tmp_path)
    assert 100_000 <= used_bytes(box, 10**6) < 200_000
    assert used_bytes(box, 50_000) == 50_001


def test_too_many_files_and_too_deep_folders_count_as_full(box, monkeypatch):
    subprocess.run([sys.executable, "-c", DEEP], cwd=box, check=True)
    assert used_bytes(box, 10**9) == 10**9 + 1
    remove(box)
    box.mkdir()
    monkeypatch.setattr(folders, "MOST_FILES", 9)
    for number in range(10):
        (box / str(number)).touch()
    assert used_bytes(box, 10**9) == 10**9 + 1


def test_a_deleted_file_that_is_still_open_counts(box):
    held = (box / "gone").open("wb")
    held.write(bytes(200_000))
    held.flush()
    (box / "gone").unlink()
    assert used_bytes(box, 10**9) == 0
    assert unlinked_bytes([psutil.Process()]) >= 200_000
    held.close()


def test_deep_and_closed_folders_are_removed(box):
    subprocess.run([sys.executable, "-c", DEEP], cwd=box, check=True)
    (box / "closed/inner").mkdir(parents=True)
    (box / "closed/inner/f").touch()
    os.symlink("/", box / "closed/root")
    (box / "closed/inner").chmod(0)
    (box / "closed").chmod(0)
    remove(box)
    assert not box.exists()
