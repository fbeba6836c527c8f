"""A Ray cluster that is started for a studio's home: who may use it, who takes it over, and when it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from ray_cluster import missing

from engine.control.workspace import Workspace
from engine.launchers import ray_local
from engine.launchers.ray import Ray
from engine.launchers.ray_jobs import Cluster
from engine.rundir import RunDir
from engine.spec_files import read_spec

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.skipif(bool(missing()), reason=missing())]
LOCAL = ["launcher=ray", "launcher.address=local"]


def processes(folder):
    """All processes that were given the token of this cluster."""
    found = []
    for each in psutil.process_iter():
        with suppress(psutil.Error):
            if each.environ().get("RAY_AUTH_TOKEN_PATH") == str(folder / ray_local.TOKEN):
                found.append(each)
    return found


@pytest.fixture
def studio(tmp_path):
    opened = Workspace(tmp_path / "home")
    yield opened
    opened.close()
    folder = opened.home / "ray"
    with suppress(OSError, ValueError):
        os.kill(int((folder / ray_local.PID).read_text()), signal.SIGTERM)
    deadline = time.monotonic() + 60
    while (left := processes(folder)) and time.monotonic() < deadline:
        time.sleep(0.2)
    for each in left:
        with suppress(psutil.Error):
            each.kill()


def until(workspace, holds, seconds=200):
    deadline = time.monotonic() + seconds
    while not holds():
        told = [(run.name, run.state, run.progress, run.error) for run in workspace.runs.list()]
        assert time.monotonic() < deadline, told
        workspace.tick()
        time.sleep(0.1)


def test_runs_on_a_cluster_of_this_machine_until_it_is_ended(studio):
    folder = studio.home / "ray"
    assert ray_local.running(studio.home) is None
    run_id = studio.runs.submit(read_spec("dataset", "demo", ["builder.samples=8", *LOCAL]))
    until(studio, lambda: studio.runs.row(run_id).state in ("done", "failed", "interrupted"))
    row = studio.runs.row(run_id)
    assert (row.state, row.error) == ("done", ""), RunDir(Path(row.folder)).log.read_text()
    cluster, keeper = ray_local.running(studio.home), (folder / ray_local.PID).read_text()
    assert (folder / ray_local.TOKEN).stat().st_mode & 0o777 == 0o600
    with pytest.raises(OSError, match="it wants a token"):
        Cluster(cluster.address).active()
    for each in processes(folder):
        with suppress(psutil.Error):
            opened = [link.laddr.ip for link in each.net_connections() if link.status == psutil.CONN_LISTEN]
            assert {socket.inet_aton(ip.rpartition(":")[2])[0] for ip in opened} <= {127}, each.cmdline()
    ray_local.start(studio.home)
    assert ray_local.running(studio.home) == cluster, "it is taken over"
    long = read_spec("chat", "", ["model=starter", "bug=pocket/py-gcd", *LOCAL])
    second = studio.runs.submit(long)
    until(studio, lambda: studio.runs.row(second).state == "running")
    os.kill(int(keeper), signal.SIGTERM)
    until(studio, lambda: studio.runs.row(second).state in ("interrupted", "failed"), 90)
    assert "the Ray cluster has ended or was started again" in studio.runs.row(second).error
    until(studio, lambda: not processes(folder), 60)
    assert ray_local.running(studio.home) is None
    assert Ray().find(Path(studio.runs.row(second).folder)) == ""


def test_it_ends_by_itself_when_nobody_needs_it(tmp_path):
    code = (
        "import sys; from pathlib import Path; from engine.launchers import ray_local; ray_local.IDLE_S = 1\n"
        "folder = Path(sys.argv[1]) / 'ray'; folder.mkdir(); (folder / ray_local.USED).touch()\n"
        "sys.exit(ray_local.keep(folder.parent))"
    )
    words = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ray_local.running(tmp_path) is None
    deadline = time.monotonic() + 30  # Ray's own helpers end a moment after its nodes
    while processes(tmp_path / "ray") and time.monotonic() < deadline:
        time.sleep(0.2)
    assert processes(tmp_path / "ray") == []


def test_a_cluster_that_cannot_be_started_says_why(tmp_path, monkeypatch):
    monkeypatch.setattr(ray_local.sys, "executable", "/bin/false")
    with pytest.raises(OSError, match="Ray does not start on this machine: .*; see .*log.txt"):
        ray_local.start(tmp_path)
