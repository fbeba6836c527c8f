"""The shell's verbs on runs: a folder is taken in again, and its figures are shown with their intervals."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.shell.cli import app

FOLDERS = Path(__file__).resolve().parents[1] / "storage" / "versions" / "0002" / "runs"


@pytest.fixture
def shell(home):
    def run(*words):
        done = CliRunner().invoke(app, ["runs", *words, "--home", str(home)], env={"COLUMNS": "200"})
        return done.exit_code, done.stdout, done.stderr

    return run


def test_folders_are_taken_in_and_shown(shell, tmp_path):
    folders = [str(shutil.copytree(FOLDERS / number, tmp_path / number)) for number in ("2", "3")]
    code, shown, _ = shell("take-in", *folders)
    assert (code, "demo-adapter" in shown, "bugs plausible@3" in shown) == (0, True, True)
    code, shown, _ = shell("show", "2")
    assert code == 0
    assert "@3 1 of 4 (5% to 70%)" in shown
    totals = json.loads(shell("show", "2", "--json")[1])["totals"]
    assert totals["plausible_at"]["3"] == {"hits": 1, "total": 4}
    assert list(totals["plausible_at"]) == ["1", "3"], "none for more ranks than there are candidates"


def test_a_folder_of_no_run_is_one_sentence(shell, tmp_path):
    code, _, said = shell("take-in", str(tmp_path))
    assert (code, said.count("\n")) == (2, 1)
    assert "is not a run's folder: it has no spec.json" in said
