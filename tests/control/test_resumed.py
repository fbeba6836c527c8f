"""What a stopped run says of how far it came, and that a resumed one says nothing stale and counts all its time."""

from __future__ import annotations

import pytest

from engine.control.outcomes import reached, seconds_worked
from engine.control.views import RunView
from storage.tables import Run


def stopped(shards=1, **values):
    return Run(
        id=1, name="x", spec={"shards": shards}, created_at=0.0, **{"kind": "train", "state": "stopped", **values}
    )


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (
            stopped(progress_done=17, progress_total=85, result={"checkpoint_step": 16}),
            "step 17 of 85; a checkpoint was saved at step 16, and Resume continues from it",
        ),
        (
            stopped(progress_done=3, progress_total=85),
            "step 3 of 85; no checkpoint was saved, so Resume starts at the first step",
        ),
        (stopped(state="failed"), "no checkpoint was saved, so Resume starts at the first step"),
        (
            stopped(kind="benchmark", progress_done=40, progress_total=460),
            "40 of 460 patches evaluated; Resume continues with the rest",
        ),
        (
            stopped(kind="benchmark", progress_done=1.75, progress_total=4, shards=4),
            "1 of 4 shards done; Resume continues with the rest",
        ),
        (stopped(kind="dataset"), "Resume starts it from the beginning"),
        (stopped(kind="chat"), ""),
        (stopped(state="running", progress_done=3, progress_total=85), ""),
        (stopped(state="done"), ""),
    ],
)
def test_a_run_that_ended_early_says_how_far_it_came_and_where_it_continues(run, words):
    assert reached(run) == words
    assert RunView.of(run).reached == words


def test_a_stopped_training_names_its_checkpoint_and_a_resumed_one_nothing_stale(workspace, started, dataset):
    run_id, folder = started("train", f"dataset={dataset}")
    folder.append("progress", done=16, total=85, text="step 16 of 85, 4 min 55 s left")
    folder.append("checkpoint", step=16, path="somewhere")
    folder.append("state", state="stopped")
    workspace.tick()
    assert "saved at step 16" in reached(workspace.runs.row(run_id))
    workspace.runs.resume(run_id)
    run = workspace.runs.row(run_id)
    assert (run.progress_text, run.progress_total, run.started_at) == ("", None, None)


def test_the_parts_of_a_resumed_run_are_added_up(workspace, started):
    run_id, _ = started("dataset")
    for part in (100.0, 23.0):
        with workspace._database.write() as session:
            run = session.get_one(Run, run_id)
            run.state, run.started_at, run.ended_at = "stopped", 1000.0, 1000.0 + part
        workspace.runs.resume(run_id)
    workspace.runs.stop(run_id)  # while it is queued
    workspace.runs.resume(run_id)
    with workspace._database.write() as session:
        run = session.get_one(Run, run_id)
        run.state, run.started_at, run.ended_at = "running", 2000.0, None
        assert (seconds_worked(run), RunView.of(run).seconds_before) == (None, 123.0)
        run.ended_at = 2007.0
        assert seconds_worked(run) == 130.0


def test_the_time_before_a_resume_stays_with_the_result(workspace, started):
    run_id, folder = started("benchmark")
    with workspace._database.write() as session:
        session.get_one(Run, run_id).result = {"seconds_before_resume": 50.0, "checkpoint_step": 4}
    folder.append("state", state="done", result={"scored": 3})
    workspace.tick()
    assert workspace.runs.row(run_id).result == {"scored": 3, "seconds_before_resume": 50.0}
