"""A server killed with runs in its queue, on a machine that restarts: order kept, strangers left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "e2e"))
from web_server import Server

from engine.control.workspace import Workspace
from engine.launchers.local import parse_handle, start_time
from engine.spec_files import read_spec
from storage.tables import Run

pytestmark = pytest.mark.slow

# It writes down each signal that it gets and can be caught.
STRANGER = """
import signal, sys, time
told = open(sys.argv[1], "w", buffering=1)
for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, lambda number, frame: told.write(f"{number} "))
print("ready", flush=True)
time.sleep(900)
"""


@pytest.fixture
def stranger(tmp_path):
    """A process in a session of its own, and the signals that it was sent."""
    told = tmp_path / "signals"
    process = subprocess.Popen(
        [sys.executable, "-c", STRANGER, str(told)], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout.readline() == "ready\n"
    yield process, told
    process.kill()
    process.wait()


def wait_for(holds, seconds=600):
    """Without looking after the runs: the server does."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


@pytest.mark.parametrize("clicked", ["", "stop"], ids=["it was running", "it was asked to stop"])
def test_three_queued_runs_keep_their_order_and_no_stranger_is_signalled(home, stranger, clicked):
    workspace = Workspace(home)
    server = Server(home)
    try:
        active = workspace.runs.submit(read_spec("benchmark", "demo", ["candidates=2"]))
        wait_for(lambda: workspace.runs.row(active).state == "running")
        queued = [workspace.runs.submit(read_spec("merge", "", [f"name=m{number}"])) for number in range(3)]
        workspace.runs.move(queued[2], "first")
        wanted = [queued[2], queued[0], queued[1]]
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        if clicked:
            workspace.runs.stop(active)

        # The machine restarts: the worker is gone, and its number belongs to a process that started at the same tick.
        handle = workspace.runs.row(active).handle
        os.killpg(parse_handle(handle)[1], signal.SIGKILL)
        process, told = stranger
        with workspace._database.write() as session:
            row = session.get_one(Run, active)
            row.handle = f"00000000-0000-0000-0000-000000000000:{process.pid}:{start_time(process.pid)}"
        assert [run.id for run in workspace.runs.queued()] == wanted

        server.start()
        wait_for(lambda: workspace.runs.row(active).ended_at)
        row = workspace.runs.row(active)
        assert (row.state, row.cause) == (("stopped", "") if clicked else ("interrupted", "outside"))
        assert clicked or row.error == "the machine was restarted while it ran; resume continues from there"
        wait_for(lambda: all(workspace.runs.row(each).state == "done" for each in queued))
        started = [workspace.runs.row(each).started_at for each in wanted]
        assert started == sorted(started)
        assert process.poll() is None
        assert told.read_text() == ""
    finally:
        server.close()
        workspace.close()
