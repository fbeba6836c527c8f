from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict

import pytest

from engine.errors import OutsideFailure, UserError
from engine.rundir import Inputs, RunDir
from engine.work import __main__ as worker


@pytest.fixture
def run(tmp_path):
    return RunDir.create(tmp_path / "run", {"kind": "merge"}, Inputs())


def states(run):
    return [asdict(event.payload) for event in run.events().events if event.kind == "state"]


def having(monkeypatch, work):
    """The worker with `work` in place of merging."""
    module = type(sys)("fake_work")
    module.merge = work
    monkeypatch.setitem(sys.modules, "fake_work", module)
    monkeypatch.setattr("engine.specs.MergeSpec.worker", "fake_work:merge")


def test_a_run_says_that_it_runs_and_how_it_ended(run, monkeypatch):
    having(monkeypatch, lambda spec, inputs, run: {"usable": True})
    with run.held():
        assert worker.work(run) == 0
    first, last = states(run)
    assert first["state"] == "running"
    assert (last["state"], last["result"]) == ("done", {"usable": True})
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
    assert states(run)[-1]["error"].startswith(f"{run.path / 'spec.json'}: dtype: should be 'float32'")


@pytest.mark.parametrize("name", ["spec.json", "inputs.json"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"kind": "mer', "is damaged: not JSON (Unterminated string"),
        (b"", "is damaged: not JSON (Expecting value"),
        (b"[" * 100_000, "is damaged: not JSON (maximum recursion depth"),
        (b"\xff\xfe", "is damaged: not JSON ('utf-8' codec"),
        (b"[]", "is damaged: not a JSON object"),
        (None, "cannot be read: No such file or directory"),
    ],
    ids=["torn", "empty", "deep", "binary", "list", "missing"],
)
def test_a_file_of_the_run_that_cannot_be_read_is_named(run, capfd, name, content, said):
    (run.path / name).unlink() if content is None else (run.path / name).write_bytes(content)
    assert worker.work(run) == 1
    last = states(run)[-1]
    assert last["cause"] == "outside"
    assert last["error"].startswith(f"{run.path / name} {said}")
    assert last["error"].endswith("; start a new run")
    assert capfd.readouterr().err.endswith(f"{last['error']}\n"), "and the log says no more"


def test_inputs_of_another_version_are_named(run):
    (run.path / "inputs.json").write_text('{"model": null, "weather": "fine"}')
    assert worker.work(run) == 1
    assert "inputs.json was changed, or written by another version" in states(run)[-1]["error"]


def test_the_log_tells_our_faults_from_the_rest(run, monkeypatch, capfd):
    def fail(error):
        def work(*_):
            raise error

        having(monkeypatch, work)
        assert worker.work(run) == 1
        return capfd.readouterr().err

    assert fail(UserError("rank: too large")) == "rank: too large\n"
    assert fail(OutsideFailure("no sandbox")) == "no sandbox\n"
    ours = fail(KeyError("x"))
    assert "Traceback" in ours
    assert ours.splitlines()[-1].startswith("a bug in Repair Studio: KeyError: 'x'")


def test_bitsandbytes_message_about_a_cpu_is_not_logged():
    code = (
        "import logging\n"
        "from engine.work.__main__ import prepare_process\n"
        "prepare_process()\n"
        "import bitsandbytes.backends.cpu.ops as ops\n"  # says it by itself where the CPU has AVX512-BF16
        "ops.logger.warning('Failed to load CPU gemm_4bit_forward from kernels-community: %s.', 1)\n"
        "ops.logger.warning('something else')\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stderr
    assert "gemm_4bit_forward" not in said
    assert "something else" in said


def start(run):
    return subprocess.Popen([sys.executable, "-m", "engine.work", str(run.path)], stderr=subprocess.PIPE, text=True)


def test_a_second_worker_does_not_change_the_events_of_the_first(run):
    with run.held():
        process = start(run)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "another worker is already running" in said
    assert states(run) == []


def test_the_worker_process_fails_with_a_message(run):
    process = start(run)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 1
    assert states(run)[-1] == {
        "state": "failed",
        "result": None,
        "error": "only an adapter can be merged, and no model was named",
        "cause": "user",
        "cards": None,
        "workers": None,
    }
    assert "Traceback" not in said


def test_sigterm_ends_a_worker_within_seconds_with_a_last_event(tmp_path):
    spec = {"kind": "chat", "generator": {"name": "sampling"}}
    run = RunDir.create(tmp_path / "run", spec, Inputs())
    code = "import sys, types, time\nfrom engine.work import __main__ as w\nm = types.ModuleType('m')\nm.f = lambda *a: time.sleep(60)\nsys.modules['m'] = m\nfrom engine.specs import ChatSpec; ChatSpec.worker = 'm:f'\nimport os; from pathlib import Path\nos._exit(w.main(Path(sys.argv[1])))"
    process = subprocess.Popen([sys.executable, "-c", code, str(run.path)])
    deadline = time.monotonic() + 60
    while not states(run) and time.monotonic() < deadline:
        time.sleep(0.05)
    began = time.monotonic()
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(timeout=30) == 143
    assert time.monotonic() - began < 5
    assert states(run)[-1]["state"] == "stopped"
