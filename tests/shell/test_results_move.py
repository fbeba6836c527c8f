"""Results leave one home and come into another: a bundle that is taken in, and the evaluation of another program."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.benchmarks.pocket import Pocket
from engine.control.workspace import Workspace
from engine.shell.cli import app

FOLDERS = Path(__file__).resolve().parents[1] / "storage" / "versions" / "0002" / "runs"
BUG = next(bug for bug in Pocket(Pocket.Params()).bugs() if bug.language == "python")


def said(home, *words, code=0):
    done = CliRunner().invoke(app, [*map(str, words), "--home", str(home)])
    assert done.exit_code == code, (done.output, done.exception)
    return done


def test_a_bundle_of_one_home_is_taken_in_by_another(home, tmp_path):
    number = next(
        path
        for path in sorted(FOLDERS.iterdir())
        if json.loads((path / "spec.json").read_text())["kind"] == "benchmark"
    )
    said(home, "runs", "take-in", shutil.copytree(number, tmp_path / "of-somebody"))
    packed = tmp_path / "run.zip"
    assert said(home, "runs", "bundle", 1, "--out", packed).stdout.strip() == str(packed)
    assert said(home, "export", 1, "--format", "bundle").stdout.strip().endswith("run-1.zip")
    with zipfile.ZipFile(packed) as bundle:
        for name in bundle.namelist():
            bundle.extract(name, tmp_path / "results")
    other = tmp_path / "other"
    said(other, "runs", "take-in", tmp_path / "results")
    shown = [json.loads(said(each, "runs", "show", 1, "--json").stdout)["totals"] for each in (home, other)]
    assert shown[0] == shown[1]
    assert shown[0]["scored"] > 0


def test_where_a_file_cannot_go_is_said(home, tmp_path):
    assert "--out: there is no folder /nowhere" in said(home, "export", 1, "--out", "/nowhere/x.csv", code=2).stderr


@pytest.mark.slow
def test_the_evaluation_of_another_program_is_a_run_that_can_be_compared(home, tmp_path):
    evaluated = [{"generation": BUG.buggy, "compile": True, "test": False}, {"generation": BUG.fixed, "test": True}]
    row = {"identifier": BUG.id.partition("/")[2], "buggy_code": BUG.buggy, "generation": [], "evaluation": evaluated}
    file = tmp_path / "evaluation.jsonl"
    file.write_text(json.dumps(row) + "\n")
    told = json.loads(
        said(home, "runs", "import", file, "--benchmark", "pocket", "--maker", "RepairBench", "--json").output
    )
    assert {outcome: number for outcome, number in told["outcomes"].items() if number} == {
        "plausible": 1,
        "test_failed": 1,
    }
    workspace = Workspace(home)
    assert workspace.runs.row(1).name == "RepairBench on pocket"
    assert workspace.patches.detail(1, BUG.id, "model", 2).is_known_fix
    table = workspace.patches.export(1, "csv")
    workspace.close()
    again = json.loads(said(home, "runs", "import", table, "--benchmark", "pocket", "--json").output)
    assert again["totals"] == told["totals"], "our own table comes back with the same figures"
    both = json.loads(said(home, "compare", 1, 2, "--json").output)
    assert (both["both"], [run["model"] for run in both["runs"]]) == (1, ["RepairBench", "RepairBench"])
