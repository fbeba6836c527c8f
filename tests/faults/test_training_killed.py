"""SIGKILL to a training at ten places, each resumed by the studio: the weights are those of an undisturbed run."""

from __future__ import annotations

import sqlite3
import sys
import time
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parent))
from killed_worker import PLACE, PLACES

from engine.control.workspace import Workspace
from engine.fingerprint import weights_hash
from engine.launchers.local import Local
from engine.rundir import RunDir
from engine.spec_files import read_spec
from engine.trainers.checkpoint import SEAL

pytestmark = pytest.mark.slow
FAULTS = Path(__file__).resolve().parent
STEPS = 8
SETTINGS = [
    f"trainer.max_steps={STEPS}", "trainer.epochs=100", "trainer.batch_size=2", "trainer.logging_steps=1",
    "trainer.save_steps=1", "trainer.evaluation=steps", "trainer.eval_steps=3", "trainer.dropout=0.1", 'name=""',
]  # fmt: skip
# place -> (last step with a loss, files of the checkpoint that is being written, files that it must not have yet)
LEFT = {
    "as it starts": (0, [], []),
    "while it loads": (0, [], []),
    "before the first step": (0, [], []),
    "in a step": (0, [], []),
    "as a checkpoint begins": (2, [], ["adapter_model.safetensors"]),
    "with the weights of a checkpoint": (3, ["adapter_model.safetensors"], ["optimizer.pt"]),
    "with its optimizer": (4, ["adapter_model.safetensors", "optimizer.pt"], ["trainer_state.json"]),
    "as a checkpoint is sealed": (4, ["trainer_state.json", f"{SEAL}.tmp"], [SEAL]),
    "in an evaluation": (6, [], []),
    "as the model is written": (STEPS, [], []),
}


def until(workspace, holds, seconds=300):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, [(run.name, run.state, run.error) for run in workspace.runs.list()]
        workspace.tick()
        time.sleep(0.05)


def ended(workspace, run_id):
    until(workspace, lambda: workspace.runs.row(run_id).state in ("done", "failed"))
    return workspace.runs.row(run_id)


def losses(run):
    points = [event.payload for event in run.events().events if event.kind == "metric"]
    return [point.step for point in points if "loss" in point.values]


def assert_left(run, place):
    step, present, absent = LEFT[place]
    assert max(losses(run), default=0) == step
    unsealed = run.artifacts / "checkpoints" / f"checkpoint-{step}"
    assert all((unsealed / name).exists() for name in present)
    assert not any((unsealed / name).exists() for name in absent)
    assert place != "in an evaluation" or not unsealed.exists(), "an evaluation comes before the checkpoint"
    assert (run.artifacts / "model.tmp").exists() == (place == "as the model is written")
    assert not (run.artifacts / "model").exists()


def test_killed_at_ten_places_and_resumed_it_ends_with_the_same_weights(home, monkeypatch):
    workspace = Workspace(home)
    built = workspace.runs.submit(read_spec("dataset", "demo", ["builder.samples=32", "valid_fraction=0.2"]))
    ended(workspace, built)
    whole = workspace.runs.submit(read_spec("train", "demo", SETTINGS))
    ended(workspace, whole)

    monkeypatch.setattr(Local, "module", "killed_worker")
    monkeypatch.setenv("PYTHONPATH", str(FAULTS), prepend=":")
    killed = workspace.runs.submit(read_spec("train", "demo", SETTINGS))
    run = RunDir(Path(workspace.runs.row(killed).folder))
    for place in PLACES:
        monkeypatch.setenv(PLACE, place)
        row = ended(workspace, killed)
        assert (row.state, row.cause) == ("failed", "killed"), f"{place}: {row.error or run.log.read_text()[-3000:]}"
        assert "Traceback" not in run.log.read_text(), "it ended by itself"
        assert_left(run, place)
        workspace.runs.resume(killed)
    monkeypatch.delenv(PLACE)
    row = ended(workspace, killed)
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
