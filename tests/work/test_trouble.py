from __future__ import annotations

import errno
import os

import pytest

from engine.errors import OutsideFailure, SandboxUnavailable, UserError
from engine.work import trouble
from engine.work.trouble import cause_of


class OutOfMemoryError(RuntimeError):
    """As torch names it."""


def raised(error, before=None):
    try:
        raise error from before
    except Exception as caught:
        return caught


@pytest.mark.parametrize(
    ("error", "cause", "words"),
    [
        (UserError("rank: too large"), "user", "rank: too large"),
        (OutsideFailure("the worker was lost"), "outside", "the worker was lost"),
        (SandboxUnavailable("no sandbox"), "outside", "no sandbox"),
        (OutOfMemoryError("CUDA out of memory. Tried 2 GiB"), "out_of_memory", "Tried 2 GiB"),
        (MemoryError(), "out_of_memory", "MemoryError"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), "out_of_memory", "can't allocate"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/tmp/x/y"), "disk_full", "bytes free"),
        (RuntimeError("SafetensorError: I/O error: No space left on device (os error 28)"), "disk_full", "bytes free"),
        (KeyError("rank"), "bug", "KeyError: 'rank' (test_trouble.py, line "),
        (OSError(errno.EACCES, "Permission denied"), "bug", "Permission denied"),
    ],
)
def test_each_error_has_its_cause(tmp_path, error, cause, words):
    found, text = cause_of(raised(error), tmp_path)
    assert found == cause
    assert words in text


def test_a_short_write_of_torch_is_a_full_disk_only_where_the_disk_is_full(tmp_path, monkeypatch):
    error = raised(RuntimeError("[enforce fail at inline_container.cc:664] . unexpected pos 4352 vs 4246"))
    assert cause_of(error, tmp_path)[0] == "bug"
    monkeypatch.setattr(trouble, "_free", lambda folder: 1000)
    assert cause_of(error, tmp_path)[0] == "disk_full"


def test_the_cause_of_an_error_is_found(tmp_path):
    behind = OSError(errno.ENOSPC, "No space left on device")
    assert cause_of(raised(RuntimeError("cannot save"), behind), tmp_path)[0] == "disk_full"


@pytest.mark.parametrize(
    "said",
    [
        "Error while serializing: I/O error: No space left on device (os error 28)",
        "[enforce fail] unexpected pos 64 vs 0",
    ],
)
def test_a_disk_that_is_full_under_the_checkpoints_alone_is_named(tmp_path, monkeypatch, said):
    checkpoints = tmp_path / "artifacts" / "checkpoints"
    checkpoints.mkdir(parents=True)
    monkeypatch.setattr("engine.work.trouble._free", lambda place: 4096 if place == checkpoints else 1 << 40)
    cause, text = cause_of(RuntimeError(said), tmp_path)
    assert cause == "disk_full"
    assert f"the disk is full: {checkpoints} has " in text
