"""The watcher's own way to end a process tree, if the launcher cannot."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import psutil
import pytest

from engine.sandboxes import Limits
from engine.sandboxes.meter import Meter
from engine.sandboxes.watch import Allowance, descendants, end_tree, resident

# Sixteen processes, each forking and waiting without end.
BOMB = (
    "import os, time\nend = time.time() + 20\nfor _ in range(4): os.fork()\n"
    "while time.time() < end:\n    if os.fork(): os.wait()\n    else: os._exit(0)"
)
LEADER = "import subprocess, sys, time\nsubprocess.Popen(sys.argv[1:])\ntime.sleep(60)"


@pytest.mark.slow
def test_a_tree_that_keeps_forking_ends():
    bomb = subprocess.Popen([sys.executable, "-c", LEADER, sys.executable, "-c", BOMB])
    try:
        deadline = time.monotonic() + 10
        while len(descendants(bomb.pid)) < 16 and time.monotonic() < deadline:
            time.sleep(0.05)
        tree = descendants(bomb.pid)
        assert len(tree) >= 16
        assert resident(tree) > 16 << 20
        end_tree(bomb.pid)
        _, alive = psutil.wait_procs(tree, timeout=3)
        assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []
    finally:
        bomb.kill()
        bomb.wait()


def test_what_waits_for_an_answer_does_not_sleep():
    late = Limits(wall_s=1.0, cpu_s=5.0)
    meter = Meter(os.getpid())
    asked, alone = (Allowance(late, time.monotonic() - 2, meter.used([])) for _ in range(2))
    assert [asked.is_over(meter, [], lambda: True) for _ in range(3)] == [False] * 3
    assert [alone.is_over(meter, []) for _ in range(3)] == [False, True, True]
