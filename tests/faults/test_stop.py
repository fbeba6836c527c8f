"""Stopping through the verbs that users have: the work is saved, and resume goes on at the next step."""

from __future__ import annotations

import math
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "e2e"))
from web_server import Server

from engine.control.workspace import Workspace
from engine.launchers.local import parse_handle
from engine.rundir import HEARTBEAT_S, RunDir
from engine.spec_files import read_spec
from engine.trainers.checkpoint import complete, damage_of, step_of

pytestmark = pytest.mark.slow
STEPS = 400  # more than any test waits for


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A home with a dataset half of which is for evaluation."""
    home = tmp_path_factory.mktemp("stop") / "home"
    workspace = Workspace(home)
    run_id = workspace.runs.submit(read_spec("dataset", "demo", ["builder.samples=120", "valid_fraction=0.5"]))
    until(workspace, lambda: workspace.runs.row(run_id).state == "done")
    workspace.close()
    return home


@pytest.fixture
def workspace(built):
    opened = Workspace(built)
    yield opened
    for run in opened.runs.list():
        opened.runs.stop(run.id, now=True)
    until(opened, lambda: all(run.state != "stopping" for run in opened.runs.list()))
    opened.close()


def until(workspace, holds, seconds=120):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        workspace.tick()
        if holds():
            return
        time.sleep(0.1)
    raise AssertionError("it did not happen in time")


def shell(home, *words):
    """Runs a verb; its output."""
    done = subprocess.run(
        [sys.executable, "-m", "engine", *words, "--home", str(home)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def train(workspace, *overrides):
    settings = [
        f"trainer.max_steps={STEPS}", "trainer.epochs=1000", "trainer.batch_size=4", "trainer.logging_steps=1",
        f"trainer.save_steps={STEPS}", 'name=""', *overrides,
    ]  # fmt: skip
    return workspace.runs.submit(read_spec("train", "demo", settings))


def steps(workspace, run_id):
    return [step for step, _, _ in workspace.runs.metrics(run_id).get("loss", [])]


def saved(workspace, run_id):
    """The step of the newest checkpoint from which the run could go on."""
    sealed = complete(Path(workspace.runs.row(run_id).folder) / "artifacts" / "checkpoints")
    return max((step_of(path) for path in sealed if not damage_of(path)), default=0)


@pytest.mark.parametrize(
    "settings",
    [
        ["trainer.eval_steps=400"],
        ["trainer.eval_steps=400", "trainer.accumulation=12"],
        ["trainer.eval_steps=1"],  # most of its time goes into evaluation
    ],
    ids=["steps of half a second", "steps of seconds", "in an evaluation"],
)
def test_stop_saves_and_resume_goes_on_at_the_next_step(workspace, settings):
    run_id = train(workspace, *settings)
    until(workspace, lambda: len(steps(workspace, run_id)) >= 2)
    shell(workspace.home, "runs", "stop", str(run_id))
    run = workspace.runs.row(run_id)
    assert (run.state, run.error) == ("stopped", "")
    stopped_at = steps(workspace, run_id)[-1]
    assert saved(workspace, run_id) == stopped_at >= 2
    shell(workspace.home, "runs", "resume", str(run_id))
    until(workspace, lambda: len(steps(workspace, run_id)) > stopped_at)
    shell(workspace.home, "runs", "stop-now", str(run_id))
    assert [event.payload.step for event in events(workspace, run_id, "resumed")] == [stopped_at]
    assert steps(workspace, run_id) == list(range(1, len(steps(workspace, run_id)) + 1))


def test_the_page_stops_a_training_with_slow_steps_and_resumes_it(workspace):
    """The server alone looks after the run; its steps last longer than the 10 s after which a stop once killed."""
    step_s = 20
    timed = train(workspace)
    until(workspace, lambda: len(steps(workspace, timed)) >= 4)
    workspace.runs.stop(timed, now=True)
    until(workspace, lambda: workspace.runs.row(timed).state == "stopped")
    times = [at for _, _, at in workspace.runs.metrics(timed)["loss"]]
    run_id = train(workspace, f"trainer.accumulation={math.ceil(step_s * (len(times) - 1) / (times[-1] - times[0]))}")
    server = Server(workspace.home)
    try:
        wait_for(lambda: workspace.runs.row(run_id).progress_text.startswith("step 0"))
        click(server, "stop_and_save", run_id)
        began = time.monotonic()
        wait_for(lambda: b"finishing its step and saving a checkpoint" in server.look("monitor")[1], 10)
        wait_for(lambda: workspace.runs.row(run_id).state != "stopping")
        assert time.monotonic() - began > step_s / 2
        run = workspace.runs.row(run_id)
        assert (run.state, run.error, steps(workspace, run_id), saved(workspace, run_id)) == ("stopped", "", [1], 1)
        click(server, "resume", run_id)
        wait_for(lambda: len(steps(workspace, run_id)) == 2)
        click(server, "stop_now", run_id)
        wait_for(lambda: workspace.runs.row(run_id).state == "stopped", 30)
        assert steps(workspace, run_id) == [1, 2]
        assert [event.payload.step for event in events(workspace, run_id, "resumed")] == [1]
    finally:
        server.close()


def click(server, name, run_id):
    said = server.queued(f"monitor_{name}", [run_id])
    assert '"success":true' in said, said


def events(workspace, run_id, kind):
    folder = RunDir(Path(workspace.runs.row(run_id).folder))
    return [event for event in folder.events().events if event.kind == kind]


def wait_for(holds, seconds=300):
    """Without looking after the runs: the server does."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def test_stop_now_does_not_wait_for_the_step(workspace):
    run_id = train(workspace, "trainer.accumulation=400")
    until(workspace, lambda: workspace.runs.row(run_id).progress_text.startswith("step 0"))
    began = time.monotonic()
    workspace.runs.stop(run_id)
    workspace.tick()
    workspace.runs.stop(run_id, now=True)
    until(workspace, lambda: workspace.runs.row(run_id).state == "stopped", 15)
    assert time.monotonic() - began < 15
    assert saved(workspace, run_id) == 0


def test_a_run_whose_handle_was_never_stored_is_watched_and_stopped(workspace):
    """The studio that started it is killed between the start and the storing."""
    run_id = train(workspace)
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom engine.launchers.local import Local\n"
        "from engine.control.workspace import Workspace\n"
        "start = Local.submit\nLocal.submit = lambda *given: (start(*given), os._exit(9))\n"
        "Workspace(Path(sys.argv[1])).tick()"
    )
    assert subprocess.run([sys.executable, "-c", code, str(workspace.home)]).returncode == 9
    assert workspace.runs.row(run_id).handle == ""
    until(workspace, lambda: len(steps(workspace, run_id)) >= 1)
    assert workspace.runs.row(run_id).handle
    shell(workspace.home, "runs", "stop", str(run_id))
    assert workspace.runs.row(run_id).state == "stopped"
    assert saved(workspace, run_id) >= 1


def test_a_frozen_worker_is_stalled_runs_again_and_can_be_stopped(workspace):
    run_id = train(workspace)
    until(workspace, lambda: len(steps(workspace, run_id)) >= 1)
    _, pid, _ = parse_handle(workspace.runs.row(run_id).handle)
    os.kill(pid, signal.SIGSTOP)
    until(workspace, lambda: workspace.runs.row(run_id).state == "stalled", 3 * HEARTBEAT_S)
    os.kill(pid, signal.SIGCONT)
    until(workspace, lambda: workspace.runs.row(run_id).state == "running", 2 * HEARTBEAT_S)
    os.kill(pid, signal.SIGSTOP)
    until(workspace, lambda: workspace.runs.row(run_id).state == "stalled", 3 * HEARTBEAT_S)
    began = time.monotonic()
    shell(workspace.home, "runs", "stop", str(run_id))
    assert time.monotonic() - began < 30
    assert workspace.runs.row(run_id).state == "stopped"
    assert saved(workspace, run_id) >= 1


def test_a_folder_removed_while_its_worker_saves_ends_that_run_alone(workspace):
    run_id = train(workspace, "trainer.save_steps=1")
    until(workspace, lambda: saved(workspace, run_id) >= 1)
    folder = Path(workspace.runs.row(run_id).folder)
    other = workspace.runs.submit(read_spec("merge"))
    while folder.exists():  # its worker makes parts of it again
        shutil.rmtree(folder, ignore_errors=True)
        workspace.tick()
    until(workspace, lambda: workspace.runs.row(run_id).state == "failed")
    assert "was removed while it ran" in workspace.runs.row(run_id).error
    until(workspace, lambda: workspace.runs.row(other).state == "running")
