"""Whatever a folder from elsewhere says of its run: every list and every page is drawn, and the run says what is wrong."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from engine.control.outcomes import outcome_words
from engine.control.workspace import Workspace
from engine.rundir import Inputs, RunDir
from engine.shell.cli import app
from engine.specs import parse
from storage.tables import Dataset, Run
from studio.app import create_app
from studio.checked import cleaned

ODD = "<img src=x>"
ROWS = {"rows": {"train": 1, "valid": 1}, "hash": "x"}
RESULTS = {
    "plausible_at is a number": ("benchmark", {"plausible_at": 5}),
    "odd ranks": ("benchmark", {"plausible_at": {"x": "y"}, "scored": ODD, "counted_at": 3}),
    "odd sandbox": ("benchmark", {"sandbox": [ODD], "scored": "x", "bugs": None}),
    "no rows": ("dataset", {"hash": "x"}),
    "rows below zero": ("dataset", {"rows": {"train": -5, "valid": 1}, "hash": "x"}),
    "rows as text": ("dataset", {"rows": {"train": 5, "valid": "7"}, "hash": "x"}),
    "funnel is a list": ("dataset", {**ROWS, "funnel": [1]}),
    "steps without reasons": ("dataset", {**ROWS, "funnel": {"source": 1, "steps": [{"x": 1}]}}),
    "counts as text": ("dataset", {**ROWS, "funnel": {"source": 1, "steps": [{"reason": ODD, "count": "a"}]}}),
    "kinds is a list": ("dataset", {**ROWS, "kinds": ["a"]}),
    "kinds as text": ("dataset", {**ROWS, "kinds": {ODD: "9"}}),
    "a hundred thousand kinds": ("dataset", {**ROWS, "kinds": {str(number): 1 for number in range(100_000)}}),
    "histogram is a list": ("dataset", {**ROWS, "histogram": [1]}),
    "histogram of text": ("dataset", {**ROWS, "histogram": {"edges": "x", "counts": 5}}),
    "not a number": ("dataset", {**ROWS, "learned_tokens": float("nan")}),
    "infinite": ("dataset", {**ROWS, "kinds": {"a": float("inf")}}),
    "a loss of text": ("train", {"train_loss": "a"}),
    "an odd model": ("train", {"model": ODD}),
    "usable is a number": ("merge", {"usable": 1}),
    "an odd difference": ("merge", {"usable": True, "max_logit_difference": "x"}),
    "turns of text": ("chat", {"turns": ODD}),
}
SPECS = {"train": {"name": "evil", "dataset": "d"}, "merge": {"name": "evil"}, "dataset": {"name": "evil"}}


def folder_of(path, kind, result):
    folder = RunDir.create(path, {"kind": kind, **SPECS.get(kind, {})}, Inputs())
    folder.append("state", state="running")
    folder.append("state", state="done", result=result)
    return folder


@pytest.fixture
def workspace(home):
    opened = Workspace(home)
    yield opened
    opened.close()


def complaints(workspace):
    """What the pages say that they could not draw."""
    return [
        drawn["pieces"][0]
        for page in create_app(workspace).pages.values()
        if (drawn := page.look(None, [cleaned(field, field.value) for field in page.inputs]))["pieces"][0]
    ]


def shown(home, *words):
    done = CliRunner().invoke(app, ["runs", *words, "--home", str(home)], env={"COLUMNS": "200"})
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.stdout


@pytest.mark.parametrize(("kind", "result"), RESULTS.values(), ids=RESULTS)
def test_a_wrong_result_fails_its_run_and_is_shown_everywhere(workspace, home, tmp_path, kind, result):
    number = workspace.take_in(folder_of(tmp_path / "odd", kind, result).path)
    run = workspace.runs.row(number)
    assert (run.state, run.result) == ("failed", {})
    assert "its result could not be stored: " in run.error
    assert complaints(workspace) == []
    assert "failed" in shown(home)
    assert "could not be stored" in shown(home, "show", "1")
    assert json.loads(shown(home, "--json"))[0]["state"] == "failed"


def test_the_report_of_the_first_version_is_read(workspace, home, tmp_path):
    number = workspace.take_in(folder_of(tmp_path / "old", "dataset", {"report": {**ROWS, "kinds": None}}).path)
    assert outcome_words(workspace.runs.row(number)) == "2 samples"
    assert workspace.datasets.get("evil").hash == "x"
    assert complaints(workspace) == []


@pytest.mark.parametrize(("kind", "result"), RESULTS.values(), ids=RESULTS)
def test_what_an_earlier_version_stored_unchecked_takes_no_page_down(workspace, home, kind, result):
    if "NaN" in json.dumps(result):
        pytest.skip("the database refuses it")
    spec = parse({"kind": kind, **SPECS.get(kind, {})}).model_dump(mode="json")
    with workspace._database.write() as session:
        run = Run(kind=kind, name="evil", state="done", spec=spec, created_at=1e300, result=result, folder=str(home))
        run.started_at = run.ended_at = 1e300
        session.add(run)
        session.flush()
        if kind == "dataset":
            session.add(Dataset(name="evil", run_id=run.id, folder=str(home), train_rows=1, valid_rows=1, hash="x",
                                report=result, created_at=-1e300))  # fmt: skip
    said = [each for each in complaints(workspace) if "train.parquet" not in each]
    assert said == []
    assert "evil" in shown(home)
    shown(home, "show", "1")


@pytest.mark.parametrize("time", [1e300, -1.0, 1e15])
def test_an_event_of_an_impossible_time_is_passed_over(workspace, tmp_path, time):
    folder = folder_of(tmp_path / "odd", "benchmark", {})
    line = {"seq": 3, "time": time, "event": "state", "state": "failed", "error": "x"}
    with folder.events_path.open("a") as file:
        file.write(json.dumps(line) + "\n")
    run = workspace.runs.row(workspace.take_in(folder.path))
    assert (run.state, run.broken_lines) == ("done", 1)
    assert complaints(workspace) == []
