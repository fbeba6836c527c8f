"""SIGKILL to a training at ten points, each resumed by the studio: the weights are those of an undisturbed run."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from engine.control.workspace import Workspace
from engine.fingerprint import weights_hash
from engine.launchers.local import parse_handle
from engine.rundir import RunDir
from engine.spec_files import read_spec
from engine.trainers.checkpoint import SEAL, complete, step_of

pytestmark = pytest.mark.slow
STEPS = 12
SETTINGS = [
    f"trainer.max_steps={STEPS}", "trainer.epochs=100", "trainer.batch_size=2", "trainer.logging_steps=1",
    "trainer.save_steps=1", "trainer.evaluation=steps", "trainer.eval_steps=3", "trainer.dropout=0.1", 'name=""',
]  # fmt: skip


class Watched:
    """A run that is looked at through its folder alone, as fast as the machine allows."""

    def __init__(self, workspace, run_id):
        self.workspace, self.run_id = workspace, run_id
        self.folder = RunDir(Path(workspace.runs.row(run_id).folder))
        self.checkpoints = self.folder.artifacts / "checkpoints"

    def start(self):
        """Let the supervisor start the worker; from here on only new events count."""
        self.before = self.folder.events_path.stat().st_size if self.folder.events_path.exists() else 0
        until(self.workspace, lambda: self.workspace.runs.row(self.run_id).handle)
        self.pid = parse_handle(self.workspace.runs.row(self.run_id).handle)[1]

    def new(self, kind):
        return [event.payload for event in self.folder.events(self.before).events if event.kind == kind]

    def loss_at(self):
        """The last step of this start with a loss; 0 before the first."""
        return max((point.step for point in self.new("metric") if "loss" in point.values), default=0)

    def unsealed(self):
        """The checkpoint that is being written."""
        found = [path for path in self.checkpoints.glob("checkpoint-*") if not (path / SEAL).exists()]
        return found[0] if found else None

    def evaluated(self, step):
        return any(point.step == step and "eval_loss" in point.values for point in self.new("metric"))


# name -> (when to kill, what must then be so that the point was hit), both asked of a `Watched`
POINTS = {
    "as it starts": (lambda w: w.folder.is_held(), lambda w: not w.new("metric")),
    "while it loads": (lambda w: w.new("progress"), lambda w: not w.new("metric")),
    "before the first step": (
        lambda w: any(told.text.startswith("step ") for told in w.new("progress")),
        lambda w: not w.new("metric"),
    ),
    "in a step": (lambda w: w.loss_at() and not time.sleep(0.3), lambda w: w.loss_at()),
    "as a checkpoint begins": (
        lambda w: w.unsealed(),
        lambda w: w.unsealed() and not (w.unsealed() / "trainer_state.json").exists(),
    ),
    "with the weights of a checkpoint": (
        lambda w: (found := w.unsealed()) and any(found.glob("*.safetensors")),
        lambda w: w.unsealed() and not (w.unsealed() / "trainer_state.json").exists(),
    ),
    "with its optimizer": (
        lambda w: (found := w.unsealed()) and (found / "optimizer.pt").exists(),
        lambda w: w.unsealed() and (w.unsealed() / "optimizer.pt").exists(),
    ),
    "as a checkpoint is sealed": (
        lambda w: (found := w.unsealed()) and (found / f"{SEAL}.tmp").exists(),
        lambda w: w.checkpoints.exists(),
    ),
    "in an evaluation": (
        lambda w: w.loss_at() > w.began_at and w.loss_at() % 3 == 0,
        lambda w: not w.evaluated(w.loss_at()),
    ),
    "as the model is written": (
        lambda w: (w.folder.artifacts / "model.tmp").exists(),
        lambda w: not w.new("state")[1:],
    ),
}


def until(workspace, holds, seconds=600):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, [(run.name, run.state, run.error) for run in workspace.runs.list()]
        workspace.tick()
        time.sleep(0.02)


def kill_at(watched, name):
    """Start or resume the run, kill its worker at this point, and say whether it was hit."""
    when, hit = POINTS[name]
    watched.start()
    newest = complete(watched.checkpoints)
    watched.began_at = step_of(newest[-1]) if newest else 0
    deadline = time.monotonic() + 300
    while not when(watched):
        assert time.monotonic() < deadline, f"{name}: it never came to this point"
        if [state for state in watched.new("state") if state.state != "running"]:
            return False
    os.kill(watched.pid, signal.SIGKILL)
    until(watched.workspace, lambda: watched.workspace.runs.row(watched.run_id).state == "failed")
    assert watched.workspace.runs.row(watched.run_id).cause == "killed"
    return bool(hit(watched))


def test_killed_at_ten_points_and_resumed_it_ends_with_the_same_weights(home):
    workspace = Workspace(home)
    built = workspace.runs.submit(read_spec("dataset", "demo", ["builder.samples=32", "valid_fraction=0.2"]))
    until(workspace, lambda: workspace.runs.row(built).state == "done")
    whole = workspace.runs.submit(read_spec("train", "demo", SETTINGS))
    until(workspace, lambda: workspace.runs.row(whole).state in ("done", "failed"))
    killed = workspace.runs.submit(read_spec("train", "demo", SETTINGS))
    watched, missed = Watched(workspace, killed), []
    for name in POINTS:
        for _ in range(3):  # a point may pass between two looks
            is_hit = kill_at(watched, name)
            assert workspace.runs.row(killed).state == "failed", f"{name}: the run ended before it could be killed"
            workspace.runs.resume(killed)
            if is_hit:
                break
        else:
            missed.append(name)
    assert not missed
    until(workspace, lambda: workspace.runs.row(killed).state != "running" and workspace.runs.row(killed).ended_at)
    row = workspace.runs.row(killed)
    assert (row.state, row.error) == ("done", "")
    hashes = [weights_hash(Path(workspace.runs.row(each).folder) / "artifacts" / "model") for each in (whole, killed)]
    assert hashes[0] == hashes[1]
    assert row.result["train_loss"] == workspace.runs.row(whole).result["train_loss"]

    for metric in ("loss", "eval_loss", "token_accuracy"):
        seen, wanted = ([(s, v) for s, v, _ in workspace.runs.metrics(each)[metric]] for each in (killed, whole))
        assert seen == wanted, f"the curve of {metric} is another"
    assert [step for step, _, _ in workspace.runs.metrics(killed)["loss"]] == list(range(1, STEPS + 1))
    workspace.close()
    asked = "SELECT name, step, value FROM metric WHERE run_id = ? AND name IN ('loss', 'eval_loss', 'token_accuracy', 'epoch')"
    with sqlite3.connect(f"file:{home / 'studio.db'}?mode=ro", uri=True) as database:
        stored = [sorted(database.execute(asked, [run_id]).fetchall()) for run_id in (whole, killed)]
    assert stored[0] == stored[1], "the database has other values, or one of them twice"
