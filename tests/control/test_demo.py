"""The demo is six ordinary runs, each waiting for the one whose result it names."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import event

from engine.control.patch_rows import PatchRows
from engine.domain import Outcome
from engine.errors import UserError
from engine.events import PatchEvent, VerdictFields
from engine.rundir import RunDir
from engine.spec_files import read_spec
from storage.tables import Run


def test_each_stage_waits_for_the_one_it_needs_and_names_its_result(workspace):
    group = workspace.demo.start()
    runs = workspace.demo.runs(group)
    assert [run.kind for run in runs] == ["dataset", "train", "merge", "benchmark", "benchmark", "benchmark"]
    built, trained = runs[0].id, runs[1].id
    assert [run.after for run in runs] == [None, built, trained, None, trained, None]
    assert runs[1].spec["dataset"] == runs[0].name
    assert runs[2].spec["adapter"] == runs[1].name
    assert [run.spec["model"] for run in runs[3:]] == ["starter", runs[1].name, "starter-adapter"]
    assert [stage.state for stage in workspace.demo.stages()] == ["queued"] * 6


def test_a_second_demo_has_names_of_its_own_and_is_the_one_shown(workspace):
    first, second = workspace.demo.start(), workspace.demo.start()
    names = [{run.name for run in workspace.demo.runs(group)[:3]} for group in (first, second)]
    assert not names[0] & names[1]
    assert [stage.run_id for stage in workspace.demo.stages()] == [run.id for run in workspace.demo.runs(second)]


def test_an_override_changes_its_stage_only(workspace):
    runs = workspace.demo.runs(workspace.demo.start(["train.trainer.max_steps=4"]))
    assert runs[1].spec["trainer"]["max_steps"] == 4
    with pytest.raises(UserError, match=r"trainer\.rank"):
        workspace.demo.start(["train.trainer.rank=0"])


@pytest.mark.parametrize(
    ("override", "said"),
    [
        (
            "x=1",
            "--set 'x=1' names no stage of the demo; begin with one of dataset., train., merge., benchmark. as in",
        ),
        ("trainer.max_steps=20", "--set 'trainer.max_steps=20' names no stage of the demo"),
        ("train=1", "--set 'train=1' names no stage"),
        ("train.trainer", "--set 'train.trainer' names no stage"),
        ("chat.bug=x", "--set 'chat.bug=x' names no stage"),
        ("train.trainer.rnk=8", "trainer.rnk: there is no such setting"),
        ("benchmark.candidates=0", "candidates: should be greater than or equal to 1"),
        ("train..rank=8", "--set needs field=value"),
        ("benchmark.model=starter", "benchmark.model: the demo sets this itself"),
        ("train.name=x", "train.name: the demo sets this itself"),
        ("dataset.builder.folder=/nowhere", "the folder '/nowhere' does not exist"),
    ],
)
def test_an_unknown_override_queues_nothing(workspace, override, said):
    with pytest.raises(UserError) as error:
        workspace.demo.start([override])
    assert str(error.value).startswith(said)
    assert workspace.runs.list() == []


def test_a_taken_name_queues_no_part_of_a_demo(workspace):
    mine = workspace.runs.submit(read_spec("merge", "", ["name=demo-merged"]))
    with pytest.raises(UserError, match="already a model 'demo-merged'"):
        workspace.demo.start()
    assert [run.id for run in workspace.runs.list()] == [mine]


def test_of_two_starts_at_once_one_queues_all_and_the_other_is_refused(workspace, monkeypatch):
    """As a double click does: both look before either has queued anything."""
    both = threading.Barrier(2, timeout=30)

    def check(spec, **how):
        if spec.kind == "dataset":
            both.wait()

    monkeypatch.setattr("engine.control.runs.check_settings", check)

    def start(_):
        try:
            return workspace.demo.start()
        except UserError as error:
            return str(error)

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(start, range(2)))
    assert answers[0] == "demo-1"
    assert answers[1].startswith("demo-1 was started a moment ago")
    assert [run.state for run in workspace.demo.runs("demo-1")] == ["queued"] * 6
    assert len(workspace.runs.list()) == 6


def test_the_table_counts_verdicts_as_they_come(workspace, mute):
    results = {
        "dataset": {"rows": {"train": 3, "valid": 1}, "hash": "abc"},
        "train": {},
        "merge": {"usable": True},
    }
    runs = workspace.demo.runs(workspace.demo.start())
    for run in runs[:3]:
        workspace.tick()
        folder = RunDir(Path(run.folder))
        (folder.artifacts / "train.parquet").touch()
        (folder.artifacts / "model").mkdir()
        (folder.artifacts / "model" / "adapter_model.safetensors").touch()
        folder.append("state", state="done", result=results[run.kind])
    workspace.tick()
    folder = RunDir(Path(runs[3].folder))
    for name, outcomes in {"a": ["test_failed", "plausible"], "b": ["timeout"], "c": ["not_run"]}.items():
        code = {"buggy": "x\n", "fixed": "y\n"}
        folder.append("bug", id=name, language="python", path="a.py", start=1, end=1, **code)
        for rank, outcome in enumerate(outcomes, 1):
            folder.append("patch", bug_id=name, source="model", rank=rank, text="y\n", verdict={"outcome": outcome})
    workspace.tick()
    row = workspace.demo.table()[0]
    assert (row.model, row.scored, row.plausible_at_1, row.plausible_at_10) == ("starter", 2, 0, 1)


def test_the_table_stays_until_the_next_demo_has_verdicts(workspace, mute):
    first = workspace.demo.runs(workspace.demo.start())[3]
    workspace.tick()
    workspace.runs.stop(workspace.demo.runs()[0].id)
    RunDir(Path(workspace.demo.runs()[0].folder)).append("state", state="stopped")
    for _ in range(6):
        workspace.tick()
    folder = RunDir(Path(first.folder))
    folder.append("bug", id="a", language="python", path="a.py", start=1, end=1, buggy="x\n", fixed="y\n")
    folder.append("patch", bug_id="a", source="model", rank=1, text="y\n", verdict={"outcome": "plausible"})
    workspace.tick()
    assert [row.scored for row in workspace.demo.table()] == [1, 0, 0]
    workspace.demo.start()
    assert workspace.demo.table()[0].run_id == first.id


def test_cancelling_stops_what_has_not_ended_and_nothing_starts_in_between(workspace, mute):
    workspace.demo.start()
    workspace.tick()
    assert workspace.demo.cancel() == 6
    assert [run.state for run in workspace.demo.runs()] == ["stopping", *["stopped"] * 5]
    RunDir(Path(workspace.demo.runs()[0].folder)).append("state", state="stopped")
    workspace.tick()
    assert not workspace.demo.is_running()
    with pytest.raises(UserError, match="no demo is running"):
        workspace.demo.cancel()


def test_when_a_stage_ends_early_so_do_those_that_need_it(workspace, mute):
    first, *others = workspace.demo.runs(workspace.demo.start())
    workspace.runs.stop(first.id)
    assert workspace.demo.is_running()
    for _ in others:
        workspace.tick()
    stages = workspace.demo.stages()
    assert [stage.state for stage in stages] == ["stopped", "failed", "failed", "starting", "failed", "queued"]
    assert stages[1].error == "run 1 (demo), whose result it needs, was stopped"


def test_the_table_is_of_a_demo_that_is_done_while_the_next_one_has_tested_a_few_bugs(workspace, mute):
    groups = [workspace.demo.start(), workspace.demo.start()]
    with workspace._database.write() as session:
        for group, state in zip(groups, ("done", "running"), strict=True):
            run = session.get_one(Run, workspace.demo.runs(group)[3].id)
            run.state = state
            rows = PatchRows(session, run.id)
            rows.add(PatchEvent("a", "model", 1, VerdictFields(Outcome.PLAUSIBLE), text="y\n"))
            rows.store()
    assert workspace.demo.table()[0].run_id == workspace.demo.runs(groups[0])[3].id
    assert workspace.demo.table(groups[1])[0].scored == 1


def test_the_guide_reads_the_runs_of_the_demo_only(workspace):
    workspace.demo.start()
    with workspace._database.write() as session:
        session.add_all([Run(kind="train", name=f"t-{n}", state="done", spec={}, created_at=0.0) for n in range(300)])
    read = []
    event.listen(Run, "load", lambda run, _: read.append(run.id))
    for draw in (workspace.demo.stages, workspace.demo.table, workspace.demo.is_running):
        draw()
    assert set(read) <= {run.id for run in workspace.demo.runs()}
