"""SIGKILL to the server during a training: the training continues, and the next server shows the whole curve."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from engine.control.workspace import Workspace
from engine.spec_files import read_spec

STEPS = 12


def serve(home, port):
    server = subprocess.Popen(
        [sys.executable, "-m", "studio", "--home", str(home), "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
            return server
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the server did not answer within a minute")


def wait(holds, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return
        time.sleep(0.3)
    raise AssertionError("it did not happen in time")


@pytest.mark.slow
def test_the_training_goes_on_and_its_curve_has_no_gap_and_no_double_point(home):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    workspace = Workspace(home)
    built = workspace.runs.submit(read_spec("dataset", "demo", ["builder.samples=64"]))
    trained = workspace.runs.submit(
        read_spec(
            "train",
            "demo",
            [f"trainer.max_steps={STEPS}", "trainer.epochs=100", "trainer.batch_size=4", "trainer.logging_steps=1"],
        ),
        after=built,
    )
    server = serve(home, port)

    def steps():
        return [step for step, _, _ in workspace.runs.metrics(trained).get("loss", [])]

    wait(lambda: len(steps()) >= 2, 120)
    server.send_signal(signal.SIGKILL)
    server.wait()
    seen = len(steps())
    assert seen < STEPS, "the server was killed in mid-training"
    time.sleep(2)
    again = serve(home, port)
    try:
        wait(lambda: workspace.runs.row(trained).state == "done", 240)
    finally:
        again.terminate()
        again.wait()
    assert steps() == list(range(1, STEPS + 1))
    assert os.path.exists(workspace.models.resolve("demo-adapter").path)
