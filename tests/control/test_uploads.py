"""An uploaded file is complete or does not exist, and its name cannot leave the folder."""

from __future__ import annotations

import pytest

from engine.control import uploads
from engine.control.uploads import Uploads
from engine.errors import OutsideFailure, UserError


@pytest.mark.parametrize("name", ["fixes.jsonl", "../../fixes.jsonl", "C:\\x\\fixes.jsonl", "/etc/fixes.jsonl"])
def test_a_file_is_kept_with_its_name(tmp_path, name):
    with Uploads(tmp_path).receive(name) as file:
        file.write(b"one ")
        file.write(b"two")
        assert not file.path.exists()
    assert file.path.read_bytes() == b"one two"
    assert file.path.parent.parent == tmp_path / "uploads"
    assert file.path.name == "fixes.jsonl", "as its owner calls it"


def test_a_received_file_is_forgotten_and_no_other_is(tmp_path):
    folder = Uploads(tmp_path)
    with folder.receive("a.csv") as kept, folder.receive("a.csv") as file:
        pass
    (tmp_path / "mine.csv").write_text("x")
    for path in (file.path, tmp_path / "mine.csv", file.path.parents[1] / ".." / "mine.csv", kept.path.parent / "x/y"):
        folder.forget(path)
    assert not file.path.parent.exists()
    assert kept.path.exists()
    assert (tmp_path / "mine.csv").exists()


@pytest.mark.parametrize("name", ["", "..", "/", "..."])
def test_a_file_without_a_name_is_refused(tmp_path, name):
    with pytest.raises(UserError, match="no name"), Uploads(tmp_path).receive(name):
        pass


def test_an_incomplete_upload_leaves_no_file(tmp_path):
    def broken_off():
        with Uploads(tmp_path).receive("a.csv") as file:
            file.write(b"half")
            raise ConnectionError

    with pytest.raises(ConnectionError):
        broken_off()
    assert list((tmp_path / "uploads").iterdir()) == []


def test_a_file_that_is_too_large_or_a_disk_that_is_full_ends_it(tmp_path, monkeypatch):
    monkeypatch.setattr(uploads, "LARGEST_BYTES", 3)
    with pytest.raises(UserError, match="larger than"), Uploads(tmp_path).receive("a.csv") as file:
        file.write(b"four")
    monkeypatch.setattr(uploads, "KEPT_FREE_BYTES", 1 << 62)
    with pytest.raises(OutsideFailure, match="nearly full"), Uploads(tmp_path).receive("a.csv") as file:
        file.write(b"x")
    assert list((tmp_path / "uploads").iterdir()) == []
