"""`benchmark check`, `validate` and `runs import` end in the run's figures and a file of verdicts."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from engine.benchmarks.pocket import Pocket
from engine.control.workspace import Workspace
from engine.shell.cli import app
from engine.shell.follow import warn

BUG = next(bug for bug in Pocket(Pocket.Params()).bugs() if bug.language == "python")


def said(home, *words, code=0):
    done = CliRunner().invoke(app, [*map(str, words), "--home", str(home)])
    assert done.exit_code == code, (done.output, done.exception)
    return done


def test_a_benchmark_run_needs_no_verb_and_its_check_has_one(home):
    run = json.loads(said(home, "benchmark", "demo", "--set", "candidates=3", "--json").output)
    assert (run["kind"], run["spec"]["candidates"]) == ("benchmark", 3)
    run = json.loads(said(home, "benchmark", "--set", "candidates=4", "--json").output)
    assert run["spec"]["candidates"] == 4
    assert "check" in said(home, "benchmark", "--help").output
    wrong = said(home, "benchmark", "check", "poket", code=2)
    assert "there is no benchmarks plug-in called 'poket'" in wrong.stderr


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["validate", "nowhere.jsonl", "--benchmark", "pocket"], "file: there is no file "),
        (["validate", "--benchmark", "quixbugs-python"], "no folder is named; run `git clone"),
        (["validate", "--out", "/nowhere/x.jsonl"], "--out: there is no folder /nowhere"),
        (["runs", "import", "nowhere.jsonl"], "file: there is no file "),
    ],
)
def test_what_is_wrong_is_said_before_anything_runs(home, words, complaint):
    assert complaint in said(home, *words, code=2).stderr
    assert not (home / "runs").exists() or not list((home / "runs").iterdir())


@pytest.mark.slow
def test_patches_of_a_file_are_tested_and_their_verdicts_are_a_run(home, tmp_path):
    rows = [
        {"bug_id": BUG.id, "lines": BUG.fixed_lines},
        {"bug_id": BUG.id, "lines": "    return (\n"},
        {"bug_id": "pocket/none", "lines": ""},
    ]
    file, out = tmp_path / "patches.jsonl", tmp_path / "verdicts.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    told = json.loads(said(home, "validate", "--benchmark", "pocket", file, "--out", out, "--json").output)
    verdicts = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["bug_id"] for row in verdicts] == [row["bug_id"] for row in rows]
    assert [row["outcome"] for row in verdicts] == ["plausible", "compile_error", "not_run"]
    assert (told["verdicts"], told["rows"], told["scored"], told["unknown_bugs"]) == (str(out), 3, 1, 1)
    assert told["unknown_rows"] == 1
    said_to_people = said(home, "runs", "show", "1").output
    assert "1 row is for no bug of this benchmark" in " ".join(said_to_people.split())
    again = json.loads(said(home, "runs", "import", out, "--benchmark", "pocket", "--json").output)
    assert (again["outcomes"], again["is_imported"]) == (told["outcomes"], True)
    workspace = Workspace(home)
    assert [run.id for run in workspace.patches.runs()] == [2, 1]
    assert workspace.patches.detail(2, BUG.id, "model", 2).outcome == "compile_error"
    assert workspace.patches.totals(2).plausible_at.keys() == {1, 2}
    workspace.close()


@pytest.mark.slow
def test_rows_come_from_standard_input_too_and_none_is_taken_over_without_a_verdict(home, tmp_path):
    row = json.dumps({"bug_id": BUG.id, "lines": BUG.fixed_lines}) + "\n"
    words = ["validate", "-", "--benchmark", "pocket", "--json", "--home", str(home)]
    done = CliRunner().invoke(app, words, input=row)
    assert json.loads(done.output)["outcomes"]["plausible"] == 1
    (tmp_path / "untested.jsonl").write_text(row)
    wrong = said(home, "runs", "import", tmp_path / "untested.jsonl", "--benchmark", "pocket", code=2)
    assert "line 1: this row has no verdict (outcome)" in wrong.stderr
    assert "repair-studio validate" in wrong.stderr


def test_an_error_of_several_lines_is_printed_in_lines(home, tmp_path, capsys):
    warn("run 11 is failed:\n  py-bad: no test\x1b[2J")
    assert capsys.readouterr().err == "repair-studio: run 11 is failed:\n  py-bad: no test\\x1b[2J\n"


@pytest.mark.slow
def test_a_check_counts_what_can_be_scored(home):
    words = ["benchmark", "check", "pocket", "--set", 'benchmark.languages=["python"]', "--set", "limit=2", "--json"]
    told = json.loads(said(home, *words).output)
    assert (told["bugs"], told["usable"], told["set_aside"]) == (2, 2, {})
    assert told["known_fix"] == {"plausible": 2}
    assert "plausible" not in told["buggy_code"]


@pytest.mark.slow
def test_a_wrong_row_ends_with_the_users_code(home, tmp_path):
    (tmp_path / "patches.jsonl").write_text("{}\n")
    done = said(home, "validate", tmp_path / "patches.jsonl", "--benchmark", "pocket", code=2)
    assert "patches.jsonl, line 1: these are no patches in a known format: the fields are none" in done.stderr
