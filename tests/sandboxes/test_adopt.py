"""A run leaves no process behind, not even a zombie, and does not reap the children of others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from engine.params import Params
from engine.plugins import SANDBOXES
from engine.sandboxes.auto import levels
from engine.sandboxes.identity import reachable_parent

ROOT = Path(__file__).resolve().parents[2]

# In the place of process 1: adopts what the runner leaves behind, and waits for none of it.
FIRST = """
import ctypes, json, os, subprocess, sys
assert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0
from psutil import Process
runner = subprocess.Popen([sys.executable, *sys.argv[1:]], stdout=subprocess.PIPE)
told = json.load(runner.stdout)
others = [child.name() for child in Process().children() if child.pid != runner.pid]
runner.stdout.close()
print(json.dumps({**told, "handed on": others, "exit code": runner.wait()}))
"""

RUNNER = """
import ctypes, json, subprocess, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from psutil import NoSuchProcess, Process
from engine.plugins import SANDBOXES
from engine.sandboxes import Limits

level = SANDBOXES.create(SANDBOXES.params(sys.argv[1]))
level.unavailable()
broken = SANDBOXES.create(SANDBOXES.params(sys.argv[1]))
broken._launcher = "/no/such/launcher"  # where it has one

def run(n):
    if n % 4 == 0: return level.run(["/bin/true"], {}, Limits()).ended
    if n % 4 == 1: return level.run(["/bin/sleep", "9"], {}, Limits(wall_s=0.3)).ended
    if n % 4 == 2: return level.run(["/bin/sh", "-c", "sleep 9 & (sleep 9 &) kill -9 $$"], {}, Limits()).ended
    return broken.run(["/bin/true"], {}, Limits(), tools={"tool": "/no/such/folder"}).ended

codes, done = [], threading.Event()
def other():  # starts children of its own meanwhile, and must be told how they ended
    while not done.is_set():
        codes.append(subprocess.run(["/bin/sh", "-c", "exit 7"]).returncode)

def bwraps():
    found = []
    for child in Process().children():
        with suppress(NoSuchProcess):  # one of the others, which end all the time
            found += [child] if child.name() == "bwrap" and child.children() else []
    return found

sibling = threading.Thread(target=other, daemon=True)
sibling.start()
with ThreadPoolExecutor(4) as pool:
    ended = list(pool.map(run, range(16)))
if level.name == "bubblewrap":  # and one that somebody else kills
    with ThreadPoolExecutor(1) as pool:
        last = pool.submit(level.run, ["/bin/sleep", "9"], {}, Limits())
        while not (found := bwraps()): time.sleep(0.01)
        time.sleep(0.2)
        found[0].kill()
        ended.append(last.result().ended)
done.set()
sibling.join()
flag = ctypes.c_int(7)
ctypes.CDLL(None).prctl(37, ctypes.byref(flag), 0, 0, 0)
print(json.dumps({"ended": ended, "codes": sorted(set(codes)), "adopts": flag.value,
                  "kept": [child.name() for child in Process().children(recursive=True)]}))
"""


@pytest.mark.parametrize("name", levels())
def test_no_zombie_process_is_left(name):
    level = SANDBOXES.create(Params(name=name))
    if reason := level.unavailable():
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(dir=reachable_parent()) as folder:
        Path(folder).chmod(0o755)
        said = subprocess.run(
            [sys.executable, "-c", FIRST, "-c", RUNNER, name],
            cwd=ROOT, env={**os.environ, "TMPDIR": folder}, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    assert said.returncode == 0, said.stderr
    told = json.loads(said.stdout)
    killed = ["not_started"] if name == "bubblewrap" else []
    assert told["ended"] == ["exit", "timeout", "exit", "not_started"] * 4 + killed
    assert told["codes"] == [7]
    assert told["kept"] == [], "children that nobody waited for"
    assert told["handed on"] == [], "processes that were left to process 1"
    assert told["adopts"] == 0, "without an open sandbox, orphans of others go where they went before"
