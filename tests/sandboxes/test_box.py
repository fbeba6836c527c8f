"""Files are written to the working folder and results read from it, without following links to the outside."""

from __future__ import annotations

import os

import pytest

from engine.sandboxes.box import checked, collect, fill


@pytest.fixture
def box(tmp_path):
    folder = tmp_path / "box"
    folder.mkdir()
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    yield folder, handle
    os.close(handle)


def test_files_can_be_read_back(box):
    folder, handle = box
    fill(handle, {"a": b"1", "deep/er/b": b"\0\xff", "deep/c": b""}, None)
    assert (folder / "deep/er/b").read_bytes() == b"\0\xff"
    assert collect(handle, ["a", "deep/er/b", "deep/c", "none", "no/ne"], 9) == (
        {"a": b"1", "deep/er/b": b"\0\xff", "deep/c": b""},
        [],
    )


@pytest.mark.parametrize("path", ["", "/", "/etc/passwd", "..", "a/../b", "a\0b", "../box/a"])
def test_a_path_that_leaves_is_refused(path):
    with pytest.raises(ValueError, match="not a path inside"):
        checked(path)


def test_two_spellings_of_one_path_are_refused(box):
    with pytest.raises(FileExistsError):
        fill(box[1], {"a/b": b"1", "a//b": b"2"}, None)


def test_whatever_is_not_a_plain_file_is_never_read(box, tmp_path):
    folder, handle = box
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "x").write_text("canary")
    (folder / "link").symlink_to(secret / "x")
    (folder / "through").symlink_to(secret)
    (folder / "folder").mkdir()
    (folder / "large").write_bytes(b"12345")
    os.mkfifo(folder / "fifo")
    assert (folder / "link").read_text() == (folder / "through/x").read_text() == "canary"
    asked = ["link", "through/x", "folder", "large", "fifo"]
    assert collect(handle, asked, 4) == ({}, asked)
    assert collect(handle, ["large"], 5) == ({"large": b"12345"}, [])
