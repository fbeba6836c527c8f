"""Files of a Landlock run are removed with the process that made them, however it ends."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from engine.sandboxes.identity import reachable_parent
from engine.sandboxes.landlock import Landlock
from engine.temporary import sweep

RUNNING = """
import os, sys, threading, time
from pathlib import Path
from engine.sandboxes import Limits
from engine.sandboxes.landlock import Landlock
sandbox, parent, start = Landlock(None), Path(sys.argv[1]), "mkdir -p deep/er; touch deep/er/there; sleep 60"
for _ in range(2):
    threading.Thread(target=sandbox.run, args=(["/bin/sh", "-c", start], {}, Limits()), daemon=True).start()
while len(list(parent.glob("*/box/deep/er/there"))) < 2:
    time.sleep(0.02)
print("running", flush=True)
sys.stdin.readline()
os._exit(143)  # as a worker ends that was asked to stop while its threads still judge
"""


@pytest.fixture
def parent(monkeypatch):
    """A folder for temporary ones that belongs to this test, where payloads of another user can enter it."""
    folder = Path(tempfile.mkdtemp(dir=reachable_parent()))
    folder.chmod(0o755)
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("way", ["killed", "stopped"])
def test_the_folders_of_a_process_that_ended_in_the_middle_of_runs_are_swept(parent, way):
    if trouble := Landlock(None).unavailable():
        pytest.skip(trouble)
    runner = subprocess.Popen(
        [sys.executable, "-c", RUNNING, str(parent)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert runner.stdout.readline() == "running\n"
    held = sorted(path.name.rpartition("-")[0] for path in parent.iterdir())
    assert held == ["repair-studio-launcher", "repair-studio-run", "repair-studio-run"]
    assert sweep() == 0, "none of a process that lives"
    assert len(list(parent.iterdir())) == 3
    if way == "killed":
        runner.kill()
    else:
        runner.stdin.write("\n")
        runner.stdin.flush()
    assert runner.wait(10) == (-signal.SIGKILL if way == "killed" else 143)
    deadline = time.monotonic() + 10  # until the launchers have ended what they started
    swept = 0
    while swept < 3 and time.monotonic() < deadline:
        swept += sweep()
        time.sleep(0.05)
    assert (swept, list(parent.iterdir())) == (3, [])
