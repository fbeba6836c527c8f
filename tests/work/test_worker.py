from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from engine.errors import OutsideFailure, UserError
from engine.rundir import Inputs, RunDir
from engine.work import __main__ as worker


@pytest.fixture
def run(tmp_path):
    return RunDir.create(tmp_path / "run", {"kind": "merge"}, Inputs())


def states(run):
    return [event.fields for event in run.events().events if event.kind == "state"]


def having(monkeypatch, work):
    """The worker with `work` in place of merging."""
    module = type(sys)("fake_work")
    module.merge = work
    monkeypatch.setitem(sys.modules, "fake_work", module)
    monkeypatch.setitem(worker.WORK, "merge", "fake_work:merge")


def test_a_run_says_that_it_runs_with_what_and_how_it_ended(run, monkeypatch):
    having(monkeypatch, lambda spec, inputs, run: {"usable": True})
    with run.held():
        assert worker.work(run) == 0
    first, last = states(run)
    assert first["state"] == "running"
    assert first["versions"]["torch"].startswith("2.")
    assert last == {"state": "done", "result": {"usable": True}}
    assert not (run.path / "reserve").exists()


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (UserError("no"), "user"),
        (OutsideFailure("no"), "outside"),
        (MemoryError("no"), "out_of_memory"),
        (KeyError("no"), "bug"),
        (OSError(28, "No space left on device"), "disk_full"),
    ],
)
def test_a_run_that_fails_says_why(run, monkeypatch, error, cause):
    def fail(*_):
        raise error

    having(monkeypatch, fail)
    assert worker.work(run) == 1
    assert states(run)[-1]["state"] == "failed"
    assert states(run)[-1]["cause"] == cause


def test_a_spec_that_is_not_valid_is_the_users(tmp_path):
    run = RunDir.create(tmp_path / "run", {"kind": "merge", "dtype": "int3"}, Inputs())
    assert worker.work(run) == 1
    assert states(run)[-1]["cause"] == "user"
    assert "dtype" in states(run)[-1]["error"]


def start(run):
    return subprocess.Popen([sys.executable, "-m", "engine.work", str(run.path)], stderr=subprocess.PIPE, text=True)


def test_a_second_worker_leaves_the_first_ones_events_alone(run):
    with run.held():
        process = start(run)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "another worker is already at work" in said
    assert states(run) == []


def test_the_worker_as_a_process_fails_in_words(run):
    process = start(run)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 1
    assert states(run)[-1] == {
        "state": "failed",
        "error": "only an adapter can be merged, and no model was named",
        "cause": "user",
    }
    assert "Traceback" not in said


def test_sigterm_ends_a_worker_within_seconds_with_its_last_word(tmp_path):
    spec = {"kind": "chat", "generator": {"name": "sampling"}}
    run = RunDir.create(tmp_path / "run", spec, Inputs())
    code = "import sys, types, time\nfrom engine.work import __main__ as w\nm = types.ModuleType('m')\nm.f = lambda *a: time.sleep(60)\nsys.modules['m'] = m\nw.WORK['chat'] = 'm:f'\nimport os; from pathlib import Path\nos._exit(w.main(Path(sys.argv[1])))"
    process = subprocess.Popen([sys.executable, "-c", code, str(run.path)])
    deadline = time.monotonic() + 60
    while not states(run) and time.monotonic() < deadline:
        time.sleep(0.05)
    began = time.monotonic()
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(timeout=30) == 143
    assert time.monotonic() - began < 5
    assert states(run)[-1]["state"] == "stopped"
