"""A benchmark run that several processes generate for, through the verbs that users have: killed, stopped, resumed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from engine.control.workspace import Workspace
from engine.launchers.local import parse_handle
from engine.rundir import RunDir
from engine.spec_files import read_spec

pytestmark = pytest.mark.slow
SETTINGS = [
    'benchmark.languages=["python"]', "limit=6", "candidates=40", "generator=sampling", "generator.max_new_tokens=32",
    "generator.batch_tokens=1",
]  # fmt: skip


def test_two_processes_write_exactly_the_patches_of_one(home):
    texts = []
    for devices in (1, 2):
        settings = ["limit=5", "candidates=4", "generator.max_new_tokens=16", f"devices={devices}"]
        done = subprocess.run(
            [sys.executable, "-m", "engine", "benchmark", "demo", *(word for each in settings for word in ("--set", each)),
             "--wait", "--json", "--home", str(home)],
            capture_output=True, text=True, timeout=500,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        run = json.loads(done.stdout)
        texts.append(patches(home / "runs" / str(run["id"])))
        assert run["result"]["gpus"] == 0
    assert len(texts[0]) == 5 * 4
    assert texts[0] == texts[1]


def test_a_killed_worker_a_stop_and_a_killed_process_leave_nothing_behind_and_change_no_patch(home):
    workspace = Workspace(home)
    alone = workspace.runs.submit(read_spec("benchmark", "demo", [*SETTINGS, "devices=1"]))
    until(workspace, lambda: workspace.runs.row(alone).state == "done")
    shared = workspace.runs.submit(read_spec("benchmark", "demo", [*SETTINGS, "devices=2"]))
    folder = RunDir(Path(workspace.runs.row(shared).folder))

    worker, generating = at_work(workspace, shared)
    os.kill(worker.pid, signal.SIGKILL)
    until(workspace, lambda: workspace.runs.row(shared).state == "failed")
    until(workspace, lambda: not any(is_alive(each) for each in generating), seconds=10)

    workspace.runs.resume(shared)
    _, generating = at_work(workspace, shared)
    workspace.runs.stop(shared)
    until(workspace, lambda: workspace.runs.row(shared).state == "stopped")
    until(workspace, lambda: not any(is_alive(each) for each in generating), seconds=10)

    workspace.runs.resume(shared)
    _, generating = at_work(workspace, shared)
    generating[0].kill()
    until(workspace, lambda: workspace.runs.row(shared).state == "done")
    assert not any(is_alive(each) for each in generating)
    assert workspace.runs.row(shared).result["lost_processes"] == 1
    assert (
        "process 1 has ended, killed (possibly out of memory); the others generate for its " in folder.log.read_text()
    )
    assert patches(folder.path) == patches(Path(workspace.runs.row(alone).folder))
    workspace.close()


def patches(folder):
    """(bug, rank) -> what was written and the patch read from it; each once."""
    found = {}
    for event in RunDir(folder).all_events():
        if event.kind == "patch" and event.payload.source == "model":
            key = (event.payload.bug_id, event.payload.rank)
            assert key not in found
            found[key] = (event.payload.completion, event.payload.text)
    return found


def until(workspace, holds, seconds=240):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        workspace.tick()
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


def at_work(workspace, run_id):
    """The worker and its two generating processes, once one of them has written something new for a bug."""
    events = RunDir(Path(workspace.runs.row(run_id).folder))
    until(workspace, events.events_path.exists)
    before = sum("bugs written" in getattr(event.payload, "text", "") for event in events.all_events())
    until(
        workspace, lambda: sum("bugs written" in getattr(e.payload, "text", "") for e in events.all_events()) > before
    )
    worker = psutil.Process(parse_handle(workspace.runs.row(run_id).handle)[1])
    generating = [each for each in worker.children() if "engine.generators.device" in each.cmdline()]
    assert len(generating) == 2
    return worker, generating


def is_alive(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
