"""Several processes of one training under Ray: which each is told it is, and how a lost node differs from a failure."""

from __future__ import annotations

import json
import os
import shlex
import sys
import time

import pytest
from ray_dashboard import Dashboard

from engine import ranks
from engine.errors import UserError
from engine.launchers import ray_jobs
from engine.launchers.ray import Ray
from engine.launchers.ray_folder import BEGUN, LOST, read_note
from engine.launchers.ray_ranks import Process, environments
from engine.rundir import RunDir
from engine.spec_files import read_spec


@pytest.fixture
def dashboard(monkeypatch):
    monkeypatch.setattr(ray_jobs, "FRESH_S", 1e-9)
    running = Dashboard()
    running.nodes = [{"CPU": 2.0}, {"CPU": 3.0}]
    yield running
    running.server.shutdown()


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "home" / "runs" / "7"
    folder.mkdir(parents=True)
    return folder


def launcher(dashboard, **settings):
    return Ray(Ray.Params(address=dashboard.address, **settings))


@pytest.fixture
def first_of_two(run, monkeypatch):
    (run / ranks.FOLDER).mkdir()
    for name, value in environments(["a", "b"], "ddp", has_gpu=False)[0].items():
        monkeypatch.setenv(name, value)
    return RunDir(run)


def test_each_process_is_told_which_it_is():
    names = ("RANK", "GROUP_RANK", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "WORLD_SIZE", ranks.STRATEGY)
    told = [tuple(each[name] for name in names) for each in environments(["a", "a", "b"], "fsdp", has_gpu=False)]
    assert told == [
        ("0", "0", "0", "2", "3", "fsdp"),
        ("1", "0", "1", "2", "3", "fsdp"),
        ("2", "1", "0", "1", "3", "fsdp"),
    ]
    assert [each["LOCAL_RANK"] for each in environments(["a", "a"], "ddp", has_gpu=True)] == ["0", "0"]


def test_the_job_itself_reserves_nothing_and_its_processes_all_the_same(dashboard, run):
    launcher(dashboard, processes=2, cpus=2, gpus=1, resources=["a100=1"], strategy="fsdp").submit(run, {})
    [sent] = dashboard.sent
    assert set(sent) == {"submission_id", "entrypoint", "runtime_env"}
    words = shlex.split(sent["entrypoint"])
    assert words[:-1] == [
        "exec", sys.executable, "-P", "-m", "engine.launchers.ray_ranks", str(run), read_note(run).job, "no",
    ]  # fmt: skip
    one = {"CPU": 2.0, "GPU": 1.0, "a100": 1.0}
    assert json.loads(words[-1]) == {"python": [sys.executable], "strategy": "fsdp", "reserved": [one, one]}


@pytest.mark.parametrize(
    ("kind", "settings", "said"),
    [
        ("benchmark", [], "ray with more than one process starts trainings only"),
        ("train", ["launcher.gpus=0.5"], "launcher.gpus: is 0.5, and each of several processes trains on one GPU"),
        ("train", ["trainer.method=qlora", "launcher.strategy=fsdp"], "fsdp cannot share weights of 4 or 8 bits"),
    ],
)
def test_what_cannot_be_trained_together_is_refused(dashboard, kind, settings, said):
    words = ["launcher=ray", f"launcher.address={dashboard.address}", "launcher.processes=2", *settings]
    spec = read_spec(kind, "", words)
    with pytest.raises(UserError, match=said):
        Ray(spec.launcher).check(spec)


def test_it_waits_until_there_is_room_for_all(dashboard, run):
    own = launcher(dashboard, processes=3, cpus=2)
    handle, job = own.submit(run, {}), read_note(run).job
    dashboard.becomes(job, "RUNNING")
    assert own.is_alive(handle) == "pending"
    assert own.place(handle).reason == "the nodes that are up have not 3 times CPU 2"
    assert launcher(dashboard, processes=2, cpus=2).place(handle).reason == "room for 2 processes"
    own.stop(handle, run, force=False)
    assert dashboard.stopped == [], "the job itself looks for the file"
    (run / BEGUN).write_text(json.dumps({"job": job, "host": "a, b"}))
    assert own.is_alive(handle) is True
    dashboard.becomes(job, "FAILED", error_type="JOB_ENTRYPOINT_COMMAND_ERROR", driver_exit_code=LOST)
    assert own.interruption(handle) == f"its Ray job {job} lost a node of a, b"


def test_a_lost_node_is_one_that_falls_silent_without_a_word(first_of_two):
    folder = first_of_two.path
    assert not ranks.is_cut_off(first_of_two), "nobody looks after the processes"
    (folder / ranks.beside(0)).touch()
    other = folder / ranks.beside(1)
    other.touch()
    assert not ranks.is_cut_off(first_of_two)
    os.utime(other, (time.time() - 2 * ranks.SILENT_S,) * 2)
    assert ranks.is_cut_off(first_of_two)
    other.write_text("-9")
    os.utime(other, (1, 1))
    assert not ranks.is_cut_off(first_of_two), "it was killed on a node that is there"


def test_a_process_gets_its_variables_and_its_words_come_back(monkeypatch):
    code = "import os, sys; print(os.environ['RANK']); sys.exit(3)"
    assert Process().run([sys.executable, "-c", code], {"RANK": "1"}) == (3, "1\n")
    missing, said = Process().run(["/no/python"], {})
    assert missing == 127
    assert "/no/python" in said
