"""Real trainings in two processes on the CPU: what they learn, stopped, killed and resumed, and what a death leaves."""

from __future__ import annotations

import csv
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from engine.control.workspace import Workspace
from engine.launchers.local import MARK, parse_handle
from engine.rundir import RunDir
from engine.spec_files import read_spec
from engine.trainers.checkpoint import complete, damage_of, step_of

pytestmark = pytest.mark.slow
TOGETHER = ["launcher=torchrun", "launcher.processes=2"]
SHARED = [*TOGETHER, "launcher.strategy=fsdp"]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A home with a dataset of 64 samples, some of them for evaluation."""
    opened = Workspace(tmp_path_factory.mktemp("together") / "home")
    run_id = opened.runs.submit(read_spec("dataset", "demo", ["builder.samples=64"]))
    until(opened, lambda: opened.runs.row(run_id).state == "done")
    yield opened
    for run in opened.runs.list():
        opened.runs.stop(run.id, now=True)
    until(opened, lambda: all(run.state != "stopping" for run in opened.runs.list()))
    opened.close()


def until(workspace, holds, seconds=900):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, [(run.name, run.state, run.error) for run in workspace.runs.list()]
        workspace.tick()
        time.sleep(0.05)


def submit(workspace, *settings):
    fixed = [
        "trainer.max_steps=6", "trainer.epochs=100", "trainer.batch_size=4", "trainer.logging_steps=1", 'name=""',
        "trainer.save_steps=2", "trainer.eval_steps=3", "trainer.group_by_length=false",
    ]  # fmt: skip
    return workspace.runs.submit(read_spec("train", "demo", [*fixed, *settings]))


def done(workspace, run_id):
    until(workspace, lambda: workspace.runs.row(run_id).state in ("done", "failed", "stopped"))
    row = workspace.runs.row(run_id)
    assert (row.state, row.error) == ("done", ""), RunDir(Path(row.folder)).log.read_text()[-3000:]
    return row


def curve(workspace, run_id, name="loss"):
    return [(step, value) for step, value, _ in workspace.runs.metrics(run_id).get(name, [])]


def wait_for_losses(workspace, run_id, count=1):
    row = workspace.runs.row
    until(workspace, lambda: len(curve(workspace, run_id)) >= count or row(run_id).state == "failed")
    assert row(run_id).state != "failed", RunDir(Path(row(run_id).folder)).log.read_text()[-3000:]


def weights(row):
    from safetensors.torch import load_file

    return load_file(next((Path(row.folder) / "artifacts" / "model").glob("*model.safetensors")))


def assert_same(workspace, one, other):
    for name, least in (("loss", 6), ("grad_norm", 6), ("eval_loss", 2), ("token_accuracy", 6)):
        mine, theirs = curve(workspace, one.id, name), curve(workspace, other.id, name)
        assert [step for step, _ in mine] == [step for step, _ in theirs]
        assert len(mine) >= least
        assert [value for _, value in mine] == pytest.approx([value for _, value in theirs], rel=2e-3)
    one_weights, other_weights = weights(one), weights(other)
    assert {name: value.shape for name, value in one_weights.items()} == {
        name: value.shape for name, value in other_weights.items()
    }
    # AdamW divides by the size of each gradient, so a gradient of rounding alone moves a weight by the learning rate
    assert max(float((one_weights[name] - other_weights[name]).abs().mean()) for name in one_weights) < 1e-4


def all_of(run_id, workspace):
    """The processes of a run, by the mark in their environment."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(MARK) == workspace.runs.row(run_id).folder and process.status() != "zombie":
                found.append(process)
    return found


def leader_and_other(run_id, workspace):
    processes = [each for each in all_of(run_id, workspace) if "RANK" in each.environ()]
    return sorted(processes, key=lambda each: each.environ()["RANK"])


def test_two_processes_learn_what_one_learns(workspace):
    alone = done(workspace, submit(workspace))
    for settings in (TOGETHER, [*TOGETHER, "trainer.batch_size=1", "trainer.accumulation=4"], SHARED):
        run_id = submit(workspace, *settings)
        row = done(workspace, run_id)
        assert_same(workspace, alone, row)
        assert [row.result[name] for name in ("samples_seen", "tokens", "trainable_parameters")] == [
            alone.result[name] for name in ("samples_seen", "tokens", "trainable_parameters")
        ]
        with (Path(row.folder) / "artifacts" / "curves" / "train.csv").open(newline="") as file:
            assert [each["step"] for each in csv.DictReader(file)] == [str(step) for step in range(1, 7)]
        numbers = [event.seq for event in RunDir(Path(row.folder)).all_events()]
        assert numbers == list(range(1, len(numbers) + 1)), "one process writes events"
        sealed = complete(Path(row.folder) / "artifacts" / "checkpoints")
        assert [step_of(path) for path in sealed][-1] == 6
        assert all({"rng_state_0.pth", "rng_state_1.pth"} <= {file.name for file in path.iterdir()} for path in sealed)
        assert not [damage_of(path) for path in sealed if damage_of(path)]
        until(workspace, lambda run_id=run_id: not all_of(run_id, workspace), 20)


def test_every_weight_is_trained_in_shares_and_saved_whole(workspace):
    full = ["trainer.method=full", "trainer.learning_rate=1e-4", "trainer.best_checkpoint=true"]
    alone = done(workspace, submit(workspace, *full))
    in_shares = [*full, *SHARED, "trainer.activation_checkpointing=true"]
    shared = done(workspace, submit(workspace, *in_shares))
    assert_same(workspace, alone, shared)
    files = {path.name for path in (Path(shared.folder) / "artifacts" / "model").iterdir()}
    assert files == {path.name for path in (Path(alone.folder) / "artifacts" / "model").iterdir()}
    stopped = submit(workspace, *in_shares)
    wait_for_losses(workspace, stopped, 2)
    workspace.runs.stop(stopped)
    until(workspace, lambda: workspace.runs.row(stopped).state == "stopped", 300)
    workspace.runs.resume(stopped)
    wanted, found = weights(shared), weights(done(workspace, stopped))
    assert all((wanted[name] == found[name]).all() for name in wanted)


@pytest.mark.parametrize("settings", [TOGETHER, SHARED], ids=["ddp", "fsdp"])
def test_stop_and_sigkill_and_resume_end_with_the_same_weights(workspace, settings):
    settings = [*settings, "trainer.dropout=0.1", "trainer.max_steps=10", "trainer.eval_steps=100"]
    whole = done(workspace, submit(workspace, *settings))
    run_id = submit(workspace, *settings)
    wait_for_losses(workspace, run_id, 2)
    workspace.runs.stop(run_id)
    until(workspace, lambda: workspace.runs.row(run_id).state == "stopped", 300)
    stopped_at = curve(workspace, run_id)[-1][0]
    sealed = complete(Path(workspace.runs.row(run_id).folder) / "artifacts" / "checkpoints")
    assert step_of(sealed[-1]) == stopped_at < 10
    until(workspace, lambda: not all_of(run_id, workspace), 20)
    workspace.runs.resume(run_id)
    wait_for_losses(workspace, run_id, stopped_at + 1)
    _, pid, _ = parse_handle(workspace.runs.row(run_id).handle)
    os.kill(pid, signal.SIGKILL)  # torchrun itself: what it started ends with it
    until(workspace, lambda: workspace.runs.row(run_id).state == "failed", 120)
    assert not all_of(run_id, workspace), "processes go on unwatched"
    workspace.runs.resume(run_id)
    row = done(workspace, run_id)
    assert [step for step, _ in curve(workspace, run_id)] == list(range(1, 11))
    wanted, found = weights(whole), weights(row)
    assert all((wanted[name] == found[name]).all() for name in wanted)


def test_stop_now_ends_all_processes(workspace):
    run_id = submit(workspace, *TOGETHER, "trainer.accumulation=400")
    until(workspace, lambda: workspace.runs.row(run_id).progress_text.startswith("step 0"))
    assert len(all_of(run_id, workspace)) >= 3
    began = time.monotonic()
    workspace.runs.stop(run_id, now=True)
    until(workspace, lambda: workspace.runs.row(run_id).state == "stopped", 15)
    until(workspace, lambda: not all_of(run_id, workspace), 5)
    assert time.monotonic() - began < 15


def test_the_leader_says_that_another_process_was_killed(workspace):
    run_id = submit(workspace, *TOGETHER, "trainer.max_steps=400")
    wait_for_losses(workspace, run_id)
    leader_and_other(run_id, workspace)[1].kill()
    until(workspace, lambda: workspace.runs.row(run_id).state == "failed", 300)
    row = workspace.runs.row(run_id)
    assert (row.cause, row.error) == ("killed", "process 2 of 2 was killed (possibly out of memory)")
    until(workspace, lambda: not all_of(run_id, workspace), 40)


def test_a_killed_leader_leaves_nothing_behind(workspace):
    run_id = submit(workspace, *TOGETHER, "trainer.max_steps=400")
    wait_for_losses(workspace, run_id)
    leader_and_other(run_id, workspace)[0].kill()
    until(workspace, lambda: workspace.runs.row(run_id).state == "failed", 300)
    assert workspace.runs.row(run_id).cause == "killed"
    assert not all_of(run_id, workspace)
