"""Trainings in processes on two nodes of a real SLURM, beside the same in one process here."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from runs_to_end import ended, until
from slurm_cluster import said, two_nodes  # noqa: F401

from engine.control.workspace import Workspace
from engine.errors import UserError
from engine.rundir import RunDir
from engine.spec_files import read_spec

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.usefixtures("two_nodes")]
NODES = ["launcher=slurm", "launcher.gpus=0", "launcher.cpus=1", "launcher.nodes=2"]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A home with a dataset of 64 samples."""
    opened = Workspace(tmp_path_factory.mktemp("nodes") / "home")
    ended(opened, opened.runs.submit(read_spec("dataset", "demo", ["builder.samples=64"])))
    yield opened
    for run in opened.runs.list():
        opened.runs.stop(run.id, now=True)
    until(opened, lambda: all(run.state != "stopping" for run in opened.runs.list()), 60)
    opened.close()


@pytest.fixture(autouse=True)
def on_one_machine(monkeypatch):
    """Both nodes are this machine, whose name may lead nowhere."""
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "lo")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def training(workspace, *settings, steps=6):
    fixed = [
        f"trainer.max_steps={steps}", "trainer.epochs=1000", "trainer.batch_size=4", "trainer.logging_steps=1",
        'name=""', "trainer.save_steps=1000", "trainer.eval_steps=1000", "trainer.group_by_length=false",
    ]  # fmt: skip
    return workspace.runs.submit(read_spec("train", "demo", [*fixed, *settings]))


def losses(workspace, run_id):
    return [value for _, value, _ in workspace.runs.metrics(run_id).get("loss", [])]


def weights(run):
    from safetensors.torch import load_file

    return load_file(Path(run.folder) / "artifacts" / "model" / "adapter_model.safetensors")


@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_two_nodes_learn_what_one_process_learns(workspace, strategy):
    run_id = training(workspace, *NODES, f"launcher.strategy={strategy}")
    alone = training(workspace)
    together, here = ended(workspace, run_id), ended(workspace, alone)
    assert "on n[1-2]" in str(together.result["where"])
    assert len(losses(workspace, run_id)) == 6
    assert losses(workspace, run_id) == pytest.approx(losses(workspace, alone), rel=2e-3)
    one, other = weights(together), weights(here)
    assert max(float((one[name] - other[name]).abs().mean()) for name in one) < 1e-4


def test_stop_saves_on_two_nodes_and_resume_goes_on(workspace):
    run_id = training(workspace, *NODES, steps=400)
    until(workspace, lambda: len(losses(workspace, run_id)) > 3)
    began = time.monotonic()
    workspace.runs.stop(run_id)
    run = ended(workspace, run_id, "stopped")
    assert time.monotonic() - began < 15
    steps = int(run.result["checkpoint_step"])
    assert steps > 3
    until(workspace, lambda: not said("squeue", "-h", "-o", "%A"), 30)
    workspace.runs.resume(run_id)
    until(workspace, lambda: len(losses(workspace, run_id)) > steps + 3)
    began = time.monotonic()
    workspace.runs.stop(run_id, now=True)
    ended(workspace, run_id, "stopped")
    assert time.monotonic() - began < 15
    told = [each.payload.step for each in RunDir(Path(run.folder)).all_events() if each.kind == "resumed"]
    assert told == [steps]


def test_a_pre_emption_saves_on_two_nodes_and_the_run_goes_on(workspace):
    run_id = training(workspace, *NODES, steps=30)
    until(workspace, lambda: len(losses(workspace, run_id)) > 3)
    job = workspace.runs.row(run_id).handle.partition(":")[0]
    urgent = said(
        "sbatch", "--parsable", "--partition=urgent", "--nodes=2", "--exclusive", "--output=/dev/null", "--wrap=sleep 5"
    )
    assert urgent
    run = ended(workspace, run_id)
    assert run.handle.partition(":")[0] == job
    resumed = [each.payload.step for each in RunDir(Path(run.folder)).all_events() if each.kind == "resumed"]
    assert len(resumed) == 1
    assert len(losses(workspace, run_id)) == 30


def test_other_runs_have_one_process(workspace):
    with pytest.raises(UserError, match="slurm with more than one process starts trainings only"):
        workspace.runs.submit(read_spec("benchmark", "demo", NODES))
