"""SIGKILL to a benchmark's worker: its temporary folders are removed, and the resumed run evaluates nothing twice."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from engine.control.workspace import Workspace
from engine.launchers.local import parse_handle
from engine.rundir import RunDir
from engine.spec_files import read_spec
from engine.temporary import OWNER

pytestmark = pytest.mark.slow


def until(workspace, holds, seconds=180):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        workspace.tick()
        if holds():
            return
        time.sleep(0.1)
    raise AssertionError("it did not happen in time")


def test_a_killed_benchmark_run_continues_with_its_verdicts(home):
    workspace = Workspace(home)
    run_id = workspace.runs.submit(read_spec("benchmark", "demo", ["limit=12", "candidates=3"]))
    until(workspace, lambda: workspace.runs.row(run_id).progress_done >= 4)
    run = workspace.runs.row(run_id)
    held = [path for path in Path(f"/proc/{parse_handle(run.handle)[1]}/fd").iterdir() if path.readlink().name == OWNER]
    folders = [path.readlink().parent for path in held]
    assert folders, "a benchmark keeps its tools in a temporary folder"
    os.kill(parse_handle(run.handle)[1], signal.SIGKILL)
    until(workspace, lambda: workspace.runs.row(run_id).state == "failed")
    run = workspace.runs.row(run_id)
    assert (run.cause, "killed (possibly out of memory)" in run.error) == ("killed", True)
    assert not [folder for folder in folders if folder.exists()]
    workspace.runs.resume(run_id)
    until(workspace, lambda: workspace.runs.row(run_id).state == "done")
    said = Counter(
        (event.payload.bug_id, event.payload.source, event.payload.rank)
        for event in RunDir(Path(run.folder)).events().events
        if event.kind == "patch"
    )
    assert set(said.values()) == {1}
    assert len(said) == 12 * (3 + 2)
    workspace.close()
