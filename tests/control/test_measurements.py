"""What a measurement of a training's memory changes for later trainings."""

from __future__ import annotations

import pytest

from engine.assets import STARTER_MODEL
from engine.errors import UserError
from engine.models.shape import read_config
from engine.rundir import RunDir
from engine.specs import MeasureSpec, parse
from engine.trainers.memory_calibration import key_of
from storage.tables import Run


@pytest.fixture
def training(dataset, monkeypatch):
    monkeypatch.setattr("engine.control.checks.rows_in", lambda folder: "samples")
    return parse({"kind": "train", "dataset": dataset, "trainer": {"name": "sft", "batch_size": 4}})


def measured(workspace, training, **result):
    run_id = workspace.runs.submit(MeasureSpec.of(training))
    workspace.tick()
    key = key_of(read_config(STARTER_MODEL), training.trainer.filled(), "CPU")
    told = {"key": key, "offset": 10**8, "factor": 1.5, "estimated": 9, "peak_memory_bytes": 10, "device": "CPU"}
    RunDir(workspace.home / "runs" / str(run_id)).append("state", state="done", result=told | result)
    workspace.tick()
    return run_id, key


def test_the_newest_measurement_corrects_the_estimate_and_goes_to_the_worker(workspace, mute, training):
    before = workspace.preflight(training)
    assert before.measured_by == 0
    measured(workspace, training, factor=3.0)
    run_id, key = measured(workspace, training)
    after = workspace.preflight(training)
    assert after.measured_by == run_id
    assert after.estimate.activations == round(1.5 * before.estimate.activations)
    assert after.estimate.context == before.estimate.context + 10**8
    assert workspace.runs.inputs(training).calibrations == {key: {"offset": 10**8, "factor": 1.5, "run": run_id}}
    other = training.model_copy(update={"trainer": training.trainer.model_copy(update={"method": "qlora"})})
    assert workspace.preflight(other).measured_by == 0
    assert "1.50" not in workspace.runs.get(run_id).outcome
    assert "the estimate was -10 % off" in workspace.runs.get(run_id).outcome


def test_a_measurement_that_failed_changes_nothing(workspace, mute, training):
    run_id = workspace.runs.submit(MeasureSpec.of(training))
    workspace.tick()
    RunDir(workspace.home / "runs" / str(run_id)).append("state", state="failed", error="out of memory")
    workspace.tick()
    assert workspace.runs.calibrations() == {}


def test_bugs_cannot_be_measured(workspace, mute):
    grpo = parse({"kind": "train", "trainer": {"name": "grpo", "benchmark": "pocket"}})
    with pytest.raises(UserError, match="grpo has no rows whose lengths are known"):
        workspace.runs.submit(MeasureSpec.of(grpo))


def test_where_it_does_not_fit_what_would_is_computed(workspace, mute, training, monkeypatch):
    from engine.trainers.memory_check import Room

    needs = workspace.preflight(training).estimate.total
    monkeypatch.setattr("engine.control.preflight.machine_room", lambda devices: Room("cpu", "CPU", needs - 1))
    found = workspace.preflight(training)
    assert not found.fits
    assert found.advice[0].changes == {"batch_size": 2, "accumulation": 2}
    assert all(each.total < needs for each in found.advice)


@pytest.mark.parametrize("factor", [1e308, -5.0, 101.0, "much"])
def test_what_nobody_can_have_measured_fails_the_measurement_and_changes_nothing(workspace, mute, training, factor):
    before = workspace.preflight(training)
    run_id, _ = measured(workspace, training, factor=factor)
    assert workspace.runs.row(run_id).state == "failed"
    assert "factor" in workspace.runs.row(run_id).error
    assert workspace.preflight(training) == before
    with workspace._database.write() as session:  # as a version before this one would have stored it
        session.get_one(Run, run_id).state = "done"
        session.get_one(Run, run_id).result = {"key": "k", "offset": 0, "factor": factor}
    assert workspace.preflight(training) == before
