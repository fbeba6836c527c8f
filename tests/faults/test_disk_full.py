"""A disk that fills up during a run: reported, nothing lost, and work continues once there is space. On a real tmpfs."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from engine.plugins import LAUNCHERS

sys.path.append(str(Path(__file__).resolve().parents[1] / "e2e"))
from web_server import Server

from engine.control.workspace import Workspace
from engine.errors import UserError
from engine.params import Params
from engine.spec_files import read_spec
from storage.database import Unavailable

pytestmark = pytest.mark.slow
SIZE = 600 << 20


class Disk:
    """A small file system of its own that can be filled and freed."""

    def __init__(self, path):
        self.path = path
        self._filler = path / "filler"

    def fill(self):
        with self._filler.open("wb") as file, suppress(OSError):
            while True:
                file.write(b"\0" * (1 << 20))
        with self._filler.open("ab", buffering=0) as file, suppress(OSError):
            while file.write(b"\0" * 512):
                pass

    def free(self):
        self._filler.unlink(missing_ok=True)


@pytest.fixture
def disk(tmp_path):
    path = tmp_path / "disk"
    path.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(path)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    yield Disk(path)
    subprocess.run(["umount", "-l", str(path)], check=True)


@pytest.fixture
def workspace(disk):
    opened = Workspace(disk.path / "home")
    yield opened
    disk.free()
    for run in opened.runs.list():
        with suppress(Unavailable):
            opened.runs.stop(run.id, now=True)
    until(opened, lambda: all(run.state != "stopping" for run in opened.runs.list()))
    opened.close()


def until(workspace, holds, seconds=180):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(Unavailable):
            workspace.tick()
        if holds():
            return
        time.sleep(0.1)
    raise AssertionError(f"it did not happen in time: {[(r.name, r.state, r.error) for r in workspace.runs.list()]}")


def shell(home, *words):
    return subprocess.run(
        [sys.executable, "-m", "engine", *words, "--home", str(home)], capture_output=True, text=True, timeout=120
    )


def has_ended(run):
    return not LAUNCHERS.create(Params(name=run.launcher)).is_alive(run.handle)


def dataset(workspace, samples=64):
    run_id = workspace.runs.submit(read_spec("dataset", "demo", [f"builder.samples={samples}"]))
    until(workspace, lambda: workspace.runs.row(run_id).state == "done")


def fills_up_and_goes_on(workspace, disk, run_id):
    """Fill the disk under a running run, look, free it, resume; returns the run when it is done."""
    disk.fill()
    run = workspace.runs.row(run_id)
    until(workspace, lambda: has_ended(run))
    for _ in range(3):
        with suppress(Unavailable):
            workspace.tick()
    listed = shell(workspace.home, "runs", "list")
    assert listed.returncode == 0, listed.stderr
    assert run.name in listed.stdout, "reading goes on"
    refused = shell(workspace.home, "merge")
    assert refused.returncode == 1
    assert "no disk space" in refused.stderr
    assert "Traceback" not in listed.stderr + refused.stderr
    disk.free()
    until(workspace, lambda: workspace.runs.row(run_id).state == "failed", 20)
    run = workspace.runs.row(run_id)
    assert run.cause == "disk_full", run.error
    assert "the disk is full" in run.error
    workspace.runs.resume(run_id)
    until(workspace, lambda: workspace.runs.row(run_id).state not in ("queued", "starting", "running"), 300)
    run = workspace.runs.row(run_id)
    assert (run.state, run.error) == ("done", "")
    return run


def test_under_a_training(workspace, disk):
    dataset(workspace)
    settings = ["trainer.max_steps=12", "trainer.epochs=100", "trainer.batch_size=4", "trainer.logging_steps=1"]
    run_id = workspace.runs.submit(read_spec("train", "demo", [*settings, "trainer.save_steps=3"]))
    until(workspace, lambda: len(workspace.runs.metrics(run_id).get("loss", [])) >= 4)
    fills_up_and_goes_on(workspace, disk, run_id)
    assert [step for step, _, _ in workspace.runs.metrics(run_id)["loss"]] == list(range(1, 13))


def test_under_a_benchmark(workspace, disk):
    run_id = workspace.runs.submit(read_spec("benchmark", "demo", ["limit=20", "candidates=4"]))
    until(workspace, lambda: workspace.runs.row(run_id).progress_done >= 2)
    run = fills_up_and_goes_on(workspace, disk, run_id)
    assert run.result["patches"] == 80
    rows, total = workspace.patches.page(run_id)
    assert (total, [len(row.cells) for row in rows]) == (20, [4] * 20)
    assert {row.known_fix for row in rows} == {"plausible"}


def test_under_a_build(workspace, disk):
    run_id = workspace.runs.submit(read_spec("dataset", "demo", ["builder.samples=4000"]))
    until(workspace, lambda: workspace.runs.row(run_id).progress_done >= 100)
    run = fills_up_and_goes_on(workspace, disk, run_id)
    assert sum(run.result["rows"].values()) > 3000


def test_under_a_chat(workspace, disk):
    conversation = workspace.chats.start(read_spec("chat", "demo", ["bug=pocket/py-clock-format"]))
    workspace.chats.send(conversation, budget=30)
    until(workspace, lambda: len(workspace.chats.view(conversation).turns) >= 2)
    run_id = workspace.chats.get(conversation).run_id
    disk.fill()
    until(workspace, lambda: has_ended(workspace.runs.row(run_id)))
    with pytest.raises(UserError, match="still answering"):  # that its worker ended cannot be stored yet
        workspace.chats.send(conversation, "go on")
    seen = len(workspace.chats.view(conversation).turns)
    disk.free()
    until(workspace, lambda: workspace.runs.row(run_id).state == "failed", 20)
    assert workspace.runs.row(run_id).cause == "disk_full"
    workspace.chats.send(conversation, "go on", 1)
    until(workspace, lambda: not workspace.chats.view(conversation).is_busy)
    turns = workspace.chats.view(conversation).turns
    assert [turn.number for turn in turns] == list(range(1, len(turns) + 1))
    assert len(turns) > seen
    assert "go on" in [turn.text for turn in turns]


def test_under_the_queue(workspace, disk):
    ids = [workspace.runs.submit(read_spec("benchmark", "demo", ["limit=1", "candidates=1"])) for _ in range(2)]
    disk.fill()
    for _ in range(3):
        with pytest.raises(OSError, match="no disk space: run 1 "):
            workspace.tick()
        assert [workspace.runs.row(number).state for number in ids] == ["queued"] * 2
    disk.free()
    until(workspace, lambda: [workspace.runs.row(number).state for number in ids] == ["done"] * 2)


def test_under_the_server_itself(disk, workspace):
    """Filled while the studio serves and a run is under way: the page says it, reads on, and recovers by itself."""
    server = Server(disk.path / "home")
    try:
        run_id = workspace.runs.submit(read_spec("benchmark", "demo", ["limit=46", "candidates=10"]))
        wait_for(lambda: workspace.runs.row(run_id).progress_done >= 2)
        disk.fill()
        assert not has_ended(workspace.runs.row(run_id)), "it was done before the disk was full"
        wait_for(lambda: b"the disk is full" in server.look("app")[1])
        assert server.request("/")[0] == 200
        assert b"starter on pocket" in server.look("monitor")[1], "reading goes on"
        refused = server.queued("app_ask_demo", [])
        assert "no disk space" in refused
        log = server.log.read_text()
        assert "Traceback" not in log
        assert log.count("the disk is full") <= 3, "it is said once and not every half second"
        disk.free()
        wait_for(lambda: b"the disk is full" not in header_of(server))
        wait_for(lambda: workspace.runs.row(run_id).state == "failed")
        assert workspace.runs.row(run_id).cause == "disk_full"
        workspace.runs.resume(run_id)
        wait_for(lambda: workspace.runs.row(run_id).state == "done")
        assert workspace.runs.row(run_id).result["patches"] == 460
    finally:
        disk.free()
        server.close()


def header_of(server):
    """What the top of the page shows, runs that have failed left out."""
    return server.look("app")[1].partition(b"</header>")[2][:400]


def wait_for(holds, seconds=180):
    """Without looking after the runs: the server does."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return
        time.sleep(0.3)
    raise AssertionError("it did not happen in time")
