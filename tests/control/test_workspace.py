"""One studio a home, and plain words for a home that cannot be used."""

from __future__ import annotations

import subprocess
import sys

import pytest

from engine.control.workspace import Workspace
from engine.errors import UserError


def test_a_second_studio_is_refused_and_told_of_the_first(workspace):
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
    with pytest.raises(UserError, match="is no database of ours"):
        Workspace(home)


def test_the_home_is_its_owners_alone(workspace):
    assert workspace.home.stat().st_mode & 0o077 == 0
