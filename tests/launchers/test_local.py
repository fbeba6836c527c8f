"""Detached workers: they survive their parent, are identified by a handle, and end with everything they started."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import psutil
import pytest

from engine.launchers.local import MARK, Local, boot_id, start_time

TREE = """
import os, subprocess, sys, time, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import os, time; os.setsid(); time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def started(tmp_path):
    """A stubborn process with a grandchild in a session of its own, both marked as one run's."""
    process = subprocess.Popen(
        [sys.executable, "-c", TREE],
        env={**os.environ, MARK: str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    grandchild = int(process.stdout.readline())
    yield process, grandchild
    process.kill()
    process.wait()


def handle_of(pid: int) -> str:
    return f"{boot_id()}:{pid}:{start_time(pid)}"


def wait_until_gone(pid: int, seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def test_force_ends_the_whole_tree(started, tmp_path):
    process, grandchild = started
    launcher, handle = Local(), handle_of(process.pid)
    launcher.stop(handle, tmp_path, force=False)
    assert launcher.is_alive(handle), "it ignores SIGTERM"
    launcher.stop(handle, tmp_path, force=True)
    assert wait_until_gone(process.pid)
    assert wait_until_gone(grandchild)


def test_a_zombie_is_dead():
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    handle = handle_of(process.pid)
    while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.02)
    assert not Local().is_alive(handle)
    process.wait()


def test_a_stranger_with_the_same_number_is_neither_alive_nor_harmed(tmp_path):
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"])
    handle = f"{boot_id()}:{stranger.pid}:1"
    assert not Local().is_alive(handle)
    Local().stop(handle, tmp_path, force=True)
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_another_boot_is_another_life():
    assert not Local().is_alive(f"another-boot:{os.getpid()}:{start_time(os.getpid())}")


def test_a_worker_writes_to_its_log_and_not_to_a_pipe(tmp_path):
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "spec.json").write_text("{}")
    launcher = Local()
    handle = launcher.submit(tmp_path, {})
    while launcher.is_alive(handle):
        time.sleep(0.1)
    assert (tmp_path / "log.txt").stat().st_size > 0
