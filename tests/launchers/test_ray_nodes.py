"""Trainings in processes on two nodes of a real Ray cluster, beside the same in one process here."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from ray_cluster import ray  # noqa: F401
from runs_to_end import ended, until

from engine.control.workspace import Workspace
from engine.launchers.local import MARK
from engine.launchers.ray_folder import SECRETS
from engine.rundir import RunDir
from engine.spec_files import read_spec

pytestmark = [pytest.mark.slow, pytest.mark.long]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory, ray):  # noqa: F811
    """A home with a dataset of 64 samples."""
    opened = Workspace(tmp_path_factory.mktemp("raynodes") / "home")
    ended(opened, opened.runs.submit(read_spec("dataset", "demo", ["builder.samples=64"])))
    yield opened
    for run in opened.runs.list():
        opened.runs.stop(run.id, now=True)
    until(opened, lambda: all(run.state != "stopping" for run in opened.runs.list()), 60)
    opened.close()


@pytest.fixture
def on_two(ray):  # noqa: F811
    """One process on each node; both are this machine, whose name may lead nowhere."""
    own = 'launcher.env_vars=["GLOO_SOCKET_IFNAME=lo", "OMP_NUM_THREADS=1"]'
    return ["launcher=ray", f"launcher.address={ray.address}", "launcher.processes=2", own]


def training(workspace, *settings, steps=6):
    fixed = [
        f"trainer.max_steps={steps}", "trainer.epochs=1000", "trainer.batch_size=4", "trainer.logging_steps=1",
        'name=""', "trainer.save_steps=5", "trainer.eval_steps=1000", "trainer.group_by_length=false",
    ]  # fmt: skip
    return workspace.runs.submit(read_spec("train", "demo", [*fixed, *settings]))


def losses(workspace, run_id):
    return [value for _, value, _ in workspace.runs.metrics(run_id).get("loss", [])]


def weights(run):
    from safetensors.torch import load_file

    return load_file(Path(run.folder) / "artifacts" / "model" / "adapter_model.safetensors")


def workers(workspace, run_id):
    """(number of the process, that of Ray's own process on its node) -> the process."""
    found, folder = {}, workspace.runs.row(run_id).folder
    for each in psutil.process_iter():
        with suppress(psutil.Error):
            own = each.environ()
            if own.get(MARK) == folder and "engine.work" in each.cmdline():
                above = [parent.pid for parent in each.parents() if parent.name() == "raylet"]
                found[int(own["RANK"]), *above] = each
    return found


def resumed_at(run):
    return [each.payload.step for each in RunDir(Path(run.folder)).all_events() if each.kind == "resumed"]


@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_two_nodes_learn_what_one_process_learns(workspace, on_two, strategy):
    run_id = training(workspace, *on_two, f"launcher.strategy={strategy}")
    seen = {}
    until(workspace, lambda: seen.update(workers(workspace, run_id)) or len(losses(workspace, run_id)) > 1)
    assert {number for number, _ in seen} == {0, 1}
    assert len({node for _, node in seen}) == 2
    together = ended(workspace, run_id)
    assert not (Path(together.folder) / SECRETS).exists()
    here = ended(workspace, training(workspace))
    assert len(losses(workspace, run_id)) == 6
    assert losses(workspace, run_id) == pytest.approx(losses(workspace, here.id), rel=2e-3)
    one, other = weights(together), weights(here)
    assert max(float((one[name] - other[name]).abs().mean()) for name in one) < 1e-4


def test_stop_saves_on_two_nodes_and_resume_goes_on(workspace, on_two):
    run_id = training(workspace, *on_two, steps=400)
    until(workspace, lambda: len(losses(workspace, run_id)) > 3)
    began = time.monotonic()
    workspace.runs.stop(run_id)
    run = ended(workspace, run_id, "stopped")
    assert time.monotonic() - began < 15
    steps = int(run.result["checkpoint_step"])
    assert steps > 3
    workspace.runs.resume(run_id)
    until(workspace, lambda: len(losses(workspace, run_id)) > steps + 3)
    assert len(workers(workspace, run_id)) == 2
    began = time.monotonic()
    workspace.runs.stop(run_id, now=True)
    ended(workspace, run_id, "stopped")
    assert time.monotonic() - began < 15
    assert workers(workspace, run_id) == {}
    assert resumed_at(run) == [steps]


def test_a_training_without_room_for_all_waits_and_says_so(workspace, on_two):
    run_id = training(workspace, *on_two, "launcher.processes=3")
    what = "waiting: the nodes that are up have not 3 times CPU 1"
    until(workspace, lambda: workspace.runs.get(run_id).progress == what, 120)
    assert workspace.runs.row(run_id).state == "starting"
    workspace.runs.stop(run_id)
    ended(workspace, run_id, "stopped")
    assert not (Path(workspace.runs.row(run_id).folder) / SECRETS).exists()


def test_a_lost_node_interrupts_and_resume_goes_on(workspace, ray, on_two):  # noqa: F811
    run_id = training(workspace, *on_two, steps=16)
    until(workspace, lambda: len(losses(workspace, run_id)) > 6)
    mine = [each for (number, *_), each in workers(workspace, run_id).items() if number]
    beside = [each.parent() for each in mine]
    ray.kill("two")
    for each in [*beside, *mine]:  # of a machine that is gone
        with suppress(psutil.Error):
            each.kill()
    run = ended(workspace, run_id, "interrupted")
    assert "lost a node of " in run.error
    ray.add("two")
    workspace.runs.resume(run_id)
    run = ended(workspace, run_id)
    assert resumed_at(run) == [5]
    assert len(losses(workspace, run_id)) == 16
