"""A stop in mid-step loses nothing; a worker that does not save in time ends with its whole tree."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "e2e"))
from web_server import Server

from engine.control import supervise
from engine.control.workspace import Workspace
from engine.fingerprint import weights_hash
from engine.launchers.local import MARK, parse_handle
from engine.spec_files import read_spec
from engine.trainers.checkpoint import complete, damage_of, step_of

pytestmark = pytest.mark.slow
STEP_S = 5
STEPS = 3


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    opened = Workspace(tmp_path_factory.mktemp("steps") / "home")
    run_id = opened.runs.submit(read_spec("dataset", "demo", ["builder.samples=64"]))
    until(opened, lambda: opened.runs.row(run_id).state == "done")
    yield opened
    for run in opened.runs.list():
        opened.runs.stop(run.id, now=True)
    until(opened, lambda: all(run.state != "stopping" for run in opened.runs.list()))
    opened.close()


@pytest.fixture(scope="module")
def passes(workspace):
    """Forward passes of four samples in a step that takes at least STEP_S here."""
    timed = train(workspace, 1, "trainer.max_steps=400")
    until(workspace, lambda: len(losses(workspace, timed)) >= 4)
    workspace.runs.stop(timed, now=True)
    until(workspace, lambda: workspace.runs.row(timed).state == "stopped")
    times = [at for _, _, at in workspace.runs.metrics(timed)["loss"]]
    return math.ceil(1.5 * STEP_S * (len(times) - 1) / (times[-1] - times[0]))


def until(workspace, holds, seconds=600):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, [(run.name, run.state, run.error) for run in workspace.runs.list()]
        workspace.tick()
        time.sleep(0.05)


def train(workspace, accumulation, *overrides):
    settings = [
        f"trainer.max_steps={STEPS}", "trainer.epochs=1000", "trainer.batch_size=4", "trainer.logging_steps=1",
        f"trainer.accumulation={accumulation}", "trainer.save_steps=100", "trainer.dropout=0.1",
        "trainer.evaluation=no", 'name=""', *overrides,
    ]  # fmt: skip
    return workspace.runs.submit(read_spec("train", "demo", settings))


def losses(workspace, run_id):
    return [(step, value) for step, value, _ in workspace.runs.metrics(run_id).get("loss", [])]


def model_of(workspace, run_id):
    return weights_hash(Path(workspace.runs.row(run_id).folder) / "artifacts" / "model")


def saved(workspace, run_id):
    sealed = complete(Path(workspace.runs.row(run_id).folder) / "artifacts" / "checkpoints")
    return [step_of(path) for path in sealed if not damage_of(path)]


def processes_of(workspace, run_id):
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(MARK) == workspace.runs.row(run_id).folder and process.status() != "zombie":
                found.append(process)
    return found


def click(server, name, run_id):
    said = server.queued(f"monitor_{name}", [run_id])
    assert '"success":true' in said, said


def test_a_stop_on_the_page_in_mid_step_and_a_resume_give_the_weights_of_an_undisturbed_run(workspace, passes):
    whole = train(workspace, passes)
    until(workspace, lambda: workspace.runs.row(whole).state == "done")
    stopped = train(workspace, passes)
    server = Server(workspace.home)  # it alone looks after the run
    try:
        wait_for(lambda: len(losses(workspace, stopped)) == 1)
        time.sleep(STEP_S / 4)  # the second step is under way
        click(server, "stop_and_save", stopped)
        assert len(losses(workspace, stopped)) == 1, "it was asked after the step: too short a step for this machine"
        wait_for(lambda: workspace.runs.row(stopped).state == "stopped")
        assert [step for step, _ in losses(workspace, stopped)] == [1, 2], "the step was finished, and no other begun"
        assert saved(workspace, stopped) == [2]
        assert workspace.runs.row(stopped).error == ""
        click(server, "resume", stopped)
        wait_for(lambda: workspace.runs.row(stopped).state == "done")
    finally:
        server.close()
    assert losses(workspace, stopped) == losses(workspace, whole)
    assert model_of(workspace, stopped) == model_of(workspace, whole)


def wait_for(holds, seconds=600):
    """Without looking after the runs: the server does."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


@pytest.mark.parametrize("launcher", [[], ["launcher=torchrun", "launcher.processes=2"]], ids=["local", "torchrun"])
def test_one_that_does_not_save_in_time_is_killed_with_all_that_it_started(workspace, monkeypatch, launcher):
    """Its time is ten minutes; here ten seconds, and a step of hours."""
    monkeypatch.setattr(supervise, "SAVING_S", 10.0)
    run_id = train(workspace, 4000, *launcher)
    until(workspace, lambda: workspace.runs.row(run_id).progress_text.startswith("step 0"))
    assert len(processes_of(workspace, run_id)) >= (3 if launcher else 1)
    began = time.monotonic()
    workspace.runs.stop(run_id)
    until(workspace, lambda: workspace.runs.row(run_id).state == "stopped", 60)
    assert 10 <= time.monotonic() - began < 25
    assert "it did not save within 10 s, so it was killed; resume continues" in workspace.runs.row(run_id).error
    until(workspace, lambda: not processes_of(workspace, run_id), 5)


def test_a_worker_that_is_frozen_and_stopped_at_once_is_gone_within_seconds(workspace):
    run_id = train(workspace, 4000)
    until(workspace, lambda: workspace.runs.row(run_id).progress_text.startswith("step 0"))
    os.kill(parse_handle(workspace.runs.row(run_id).handle)[1], signal.SIGSTOP)
    done = subprocess.run(
        [sys.executable, "-m", "engine", "runs", "stop-now", str(run_id), "--home", str(workspace.home)],
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    until(workspace, lambda: workspace.runs.row(run_id).state == "stopped", 15)
    row = workspace.runs.row(run_id)
    assert row.ended_at - row.stop_asked_at < 15, "the shell's own start does not count"
    assert not processes_of(workspace, run_id)
