"""Payloads of a root runner get users of their own; every other runner lends its own."""

from __future__ import annotations

import os
import tempfile
from itertools import islice
from pathlib import Path

import pytest

from engine.errors import OutsideFailure
from engine.sandboxes.identity import FIRST_UID, UIDS, payload_uids, reachable, reachable_parent


def test_a_root_runner_gives_each_run_another_user(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    uids = list(islice(payload_uids(), UIDS + 1))
    assert len(set(uids)) == UIDS
    assert uids[0] == uids[-1]
    assert min(uids) >= FIRST_UID
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert list(islice(payload_uids(), 2)) == [None, None]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs payloads as another user")
def test_reachable_means_readable_by_a_stranger(tmp_path):
    with tempfile.TemporaryDirectory(dir=reachable_parent()) as name:
        folder = Path(name)
        (folder / "file").touch(0o644)
        assert not reachable(folder / "file")  # a temporary folder is closed
        folder.chmod(0o755)
        assert reachable(folder / "file")
        assert not reachable(folder / "missing")
        (folder / "link").symlink_to("/root")
        assert not reachable(folder / "link")


def test_no_reachable_temporary_folder_is_reported(monkeypatch):
    monkeypatch.setattr("engine.sandboxes.identity.reachable", lambda path: False)
    with pytest.raises(OutsideFailure, match="TMPDIR"):
        reachable_parent()
