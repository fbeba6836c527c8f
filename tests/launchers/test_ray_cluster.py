"""Runs on a real Ray cluster of two nodes: what is shown while they wait, stopped, cut off, and their node lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import httpx2
import psutil
import pytest
from ray_cluster import ray  # noqa: F401

from engine.control.workspace import Workspace
from engine.launchers.local import MARK
from engine.launchers.ray import Ray
from engine.launchers.ray_folder import NOTE, SECRETS, begun, read_note
from engine.launchers.ray_jobs import Cluster
from engine.rundir import RunDir
from engine.spec_files import read_spec

pytestmark = [pytest.mark.slow, pytest.mark.long]
SECRET = "hf_only-in-a-file-of-mode-0600"
LONG = "trainer.max_steps=100000"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory, ray):  # noqa: F811
    """A home with a dataset of 64 samples."""
    opened = Workspace(tmp_path_factory.mktemp("cluster") / "home")
    run_id = opened.runs.submit(read_spec("dataset", "demo", ["builder.samples=64"]))
    until(opened, lambda: opened.runs.row(run_id).state == "done")
    yield opened
    for run in opened.runs.list():
        opened.runs.stop(run.id, now=True)
    until(opened, lambda: all(run.state != "stopping" for run in opened.runs.list()), 60)
    opened.close()


@pytest.fixture
def on_ray(ray):  # noqa: F811
    """The settings of a run on one of the nodes, or on any."""

    def words(node="", *more):
        at = [f'launcher.resources=["{node}=0.01"]'] if node else []
        return ["launcher=ray", f"launcher.address={ray.address}", *at, *more]

    return words


def until(workspace, holds, seconds=400):
    deadline = time.monotonic() + seconds
    while not holds():
        told = [(run.name, run.state, run.progress, run.error) for run in workspace.runs.list()]
        assert time.monotonic() < deadline, told
        workspace.tick()
        time.sleep(0.1)


def training(workspace, *settings):
    fixed = [
        "trainer.epochs=100", "trainer.batch_size=4", "trainer.logging_steps=1", 'name=""', "trainer.save_steps=50",
        "trainer.dropout=0.1", "trainer.eval_steps=100000",
    ]  # fmt: skip
    return workspace.runs.submit(read_spec("train", "demo", [*fixed, *settings]))


def curve(workspace, run_id):
    return [(step, value) for step, value, _ in workspace.runs.metrics(run_id).get("loss", [])]


def ended(workspace, run_id, seconds=400):
    until(workspace, lambda: workspace.runs.row(run_id).state in ("done", "failed", "stopped", "interrupted"), seconds)
    return workspace.runs.row(run_id)


def done(workspace, run_id):
    row = ended(workspace, run_id)
    assert (row.state, row.error) == ("done", ""), RunDir(Path(row.folder)).log.read_text()[-3000:]
    return row


def model_bytes(row):
    return next((Path(row.folder) / "artifacts" / "model").glob("*model.safetensors")).read_bytes()


def folder_of(workspace, run_id):
    return Path(workspace.runs.row(run_id).folder)


def job_of(workspace, run_id):
    return read_note(folder_of(workspace, run_id)).job


def processes_of(folder):
    """The worker and all that it started, by their mark."""
    found = []
    for each in psutil.process_iter():
        with suppress(psutil.Error):
            if each.environ().get(MARK) == str(folder):
                found.append(each)
    return found


def test_what_is_shown_of_a_run_that_waits_and_then_works(workspace, ray, on_ray):  # noqa: F811
    first = training(workspace, LONG, *on_ray("two", "launcher.cpus=1"))
    until(workspace, lambda: len(curve(workspace, first)) >= 1)
    run_id = training(workspace, LONG, *on_ray("two", "launcher.cpus=1"))
    until(workspace, lambda: workspace.runs.get(run_id).progress.startswith("waiting: Job has not started yet"), 30)
    assert workspace.runs.get(run_id).state == "starting"
    assert "waiting for resources" in workspace.runs.get(run_id).progress
    until(workspace, lambda: workspace.runs.get(run_id).where == f"Ray job {job_of(workspace, run_id)}", 30)
    assert Ray().find(folder_of(workspace, run_id)) == workspace.runs.row(run_id).handle, "also while it waits"
    began = time.monotonic()
    workspace.runs.stop(first)
    assert ended(workspace, first, 30).state == "stopped"
    assert time.monotonic() - began < 15
    row = workspace.runs.row(first)
    assert row.result["checkpoint_step"] == curve(workspace, first)[-1][0]
    until(workspace, lambda: len(curve(workspace, run_id)) >= 2)
    host = begun(folder_of(workspace, run_id), job_of(workspace, run_id))
    assert workspace.runs.get(run_id).where == f"Ray job {job_of(workspace, run_id)} on {host} (127.0.0.1)"
    found = Cluster(ray.address).job(job_of(workspace, run_id), is_fresh=True)
    worker = processes_of(folder_of(workspace, run_id))[0]
    assert found.node in " ".join(" ".join(each.cmdline()) for each in worker.parents()), "not on the node of its job"
    workspace.runs.stop(run_id, now=True)
    assert ended(workspace, run_id, 30).state == "stopped"
    assert processes_of(folder_of(workspace, run_id)) == []
    assert Ray().find(folder_of(workspace, run_id)) == ""


def test_a_run_that_waits_is_stopped_at_once_and_its_job_never_works(workspace, ray, on_ray):  # noqa: F811
    first = training(workspace, LONG, *on_ray("two"))
    until(workspace, lambda: len(curve(workspace, first)) >= 1)
    run_id = training(workspace, "trainer.max_steps=3", *on_ray("two", "launcher.cpus=1"))
    until(workspace, lambda: workspace.runs.get(run_id).progress.startswith("waiting: "), 30)
    began, old = time.monotonic(), job_of(workspace, run_id)
    workspace.runs.stop(run_id)
    assert ended(workspace, run_id, 30).state == "stopped"
    assert time.monotonic() - began < 15
    assert not (folder_of(workspace, run_id) / SECRETS).exists()
    workspace.runs.resume(run_id)
    until(workspace, lambda: workspace.runs.get(run_id).progress.startswith("waiting: "), 30)
    assert job_of(workspace, run_id) != old
    workspace.runs.stop(first)
    done(workspace, run_id)
    assert [step for step, _ in curve(workspace, run_id)] == [1, 2, 3]
    assert Cluster(ray.address).job(old, is_fresh=True).status in ("STOPPED", "SUCCEEDED")


def test_a_request_that_no_node_can_meet_is_named(workspace, on_ray):
    run_id = training(workspace, LONG, *on_ray("", "launcher.cpus=3", "launcher.gpus=1"))
    what = "waiting: no node that is up has CPU 3, GPU 1"
    until(workspace, lambda: workspace.runs.get(run_id).progress == what, 30)
    workspace.runs.stop(run_id)
    assert ended(workspace, run_id, 30).state == "stopped"


def test_a_lost_node_interrupts_a_run_that_then_goes_on_to_the_bit(workspace, ray, on_ray):  # noqa: F811
    whole = done(workspace, training(workspace, "trainer.max_steps=20", "trainer.save_steps=5", *on_ray("one")))
    run_id = training(workspace, "trainer.max_steps=20", "trainer.save_steps=5", *on_ray("two"))
    until(workspace, lambda: len(curve(workspace, run_id)) >= 7)
    ray.lose("two", folder_of(workspace, run_id))
    row = ended(workspace, run_id, 90)
    assert row.state == "interrupted"
    assert f"its Ray job {job_of(workspace, run_id)} lost its node " in row.error
    ray.add("two")
    workspace.runs.resume(run_id)
    row = done(workspace, run_id)
    assert curve(workspace, run_id) == curve(workspace, whole.id)
    assert [step for step, _ in curve(workspace, run_id)] == list(range(1, 21))
    assert model_bytes(row) == model_bytes(whole)


def test_a_run_that_may_start_again_does_so_on_another_node(workspace, ray, on_ray):  # noqa: F811
    run_id = training(workspace, "trainer.max_steps=20", *on_ray("two", "launcher.restarts=1"))
    until(workspace, lambda: len(curve(workspace, run_id)) >= 7)
    first = job_of(workspace, run_id)
    ray.kill("two")  # its worker has the time to save: only Ray's own process on the node is gone
    until(workspace, lambda: job_of(workspace, run_id) != first, 90)
    assert workspace.runs.row(run_id).state in ("starting", "running", "stalled")
    ray.add("two")
    done(workspace, run_id)
    assert [step for step, _ in curve(workspace, run_id)] == list(range(1, 21))
    until(workspace, lambda: not (folder_of(workspace, run_id) / SECRETS).exists(), 15)


def test_a_head_that_does_not_answer_changes_nothing_and_a_stop_arrives(workspace, ray, on_ray):  # noqa: F811
    run_id = training(workspace, LONG, *on_ray("two"))
    until(workspace, lambda: len(curve(workspace, run_id)) >= 2)
    stopped = ray.processes("dashboard.py")
    assert stopped
    for each in stopped:
        each.suspend()
    try:
        until(workspace, lambda: "does not answer" in workspace.runs.get(run_id).where, 60)
        steps = len(curve(workspace, run_id))
        until(workspace, lambda: len(curve(workspace, run_id)) > steps + 5, 60)
        assert workspace.runs.row(run_id).state == "running"
        workspace.runs.stop(run_id)
        began = time.monotonic()
        until(workspace, lambda: workspace.runs.row(run_id).state == "stopped", 30)
        assert time.monotonic() - began < 15
    finally:
        for each in stopped:
            each.resume()


def test_a_job_that_is_stopped_in_ray_saves_and_is_interrupted(workspace, ray, on_ray):  # noqa: F811
    run_id = training(workspace, LONG, *on_ray("two"))
    until(workspace, lambda: len(curve(workspace, run_id)) >= 2)
    Cluster(ray.address).stop(job_of(workspace, run_id))
    row = ended(workspace, run_id, 60)
    assert row.state == "interrupted"
    assert f"its Ray job {job_of(workspace, run_id)} was stopped in Ray, and not by the studio" in row.error
    assert row.result["checkpoint_step"] == curve(workspace, run_id)[-1][0]


def test_a_node_that_does_not_see_the_folder_or_python_is_named(workspace, ray, tmp_path):  # noqa: F811
    for python, said in (("", "does not see the run's folder"), ("/no/python", "name the Python there")):
        folder = tmp_path / f"7{len(python)}"
        folder.mkdir()
        launcher = Ray(Ray.Params(address=ray.address, python=python, resources=["two=1"]))
        blocked = Cluster(ray.address)
        blocked.submit(
            f"blocks-{folder.name}", "sleep 3", {"entrypoint_num_cpus": 1, "entrypoint_resources": {"two": 1}}
        )
        handle = launcher.submit(folder, {})
        assert launcher.is_alive(handle) == "pending"
        if not python:
            kept = (folder / NOTE).read_text()
            (folder / NOTE).rename(tmp_path / "elsewhere")  # as on a node with another disk
            job = json.loads(kept)["job"]
            while blocked.job(job, is_fresh=True).status in ("PENDING", "RUNNING"):
                time.sleep(0.2)
            (folder / NOTE).write_text(kept)
        deadline = time.monotonic() + 60
        while launcher.is_alive(handle) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert said in launcher.interruption(handle)
        assert not (folder / SECRETS).exists()


def test_a_secret_reaches_the_worker_and_is_told_to_nobody(workspace, ray, on_ray, monkeypatch):  # noqa: F811
    monkeypatch.setenv("HF_TOKEN", SECRET)
    run_id = training(workspace, LONG, *on_ray("two", 'launcher.environment=["HF_TOKEN"]', 'launcher.env_vars=["A=b"]'))
    until(workspace, lambda: len(curve(workspace, run_id)) >= 1)
    folder = folder_of(workspace, run_id)
    given = [each.environ() for each in processes_of(folder)]
    assert given
    assert all((each["HF_TOKEN"], each["A"]) == (SECRET, "b") for each in given)
    read = httpx2.get(f"{ray.address}/api/jobs/").text
    assert job_of(workspace, run_id) in read
    assert SECRET not in read
    lines = [" ".join(each.info["cmdline"] or ()) for each in psutil.process_iter(["cmdline"])]
    assert not [line for line in lines if SECRET in line]
    # by another process: this one would lose its locks of the database if it closed that file
    search = ["grep", "-rlF", "--text", SECRET, str(workspace.home), str(ray.folder)]
    assert subprocess.run(search, capture_output=True, text=True, check=False).stdout == ""
    workspace.runs.stop(run_id, now=True)
    ended(workspace, run_id, 30)


def shell(workspace, *words):
    done = subprocess.run(
        [sys.executable, "-P", "-m", "engine", *words, "--home", str(workspace.home)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "COLUMNS": "200"},
    )
    return done.returncode, done.stdout + done.stderr


def test_the_shell_s_verbs_are_the_same_as_on_this_machine(workspace, on_ray):
    settings = ["trainer.max_steps=60", "trainer.batch_size=4", "dataset=demo", 'name=""', *on_ray("one")]
    words = [each for setting in settings for each in ("--set", setting)]
    code, said = shell(workspace, "train", "demo", *words, "--set", "trainer.logging_steps=1")
    assert code == 0, said
    number = max(run.id for run in workspace.runs.list())
    until(workspace, lambda: len(curve(workspace, number)) >= 2)
    run_id = str(number)
    assert f"Ray job {job_of(workspace, number)} on " in shell(workspace, "runs", "show", run_id)[1]
    assert "train run in" in shell(workspace, "runs", "log", run_id)[1]
    shell(workspace, "runs", "stop", run_id)
    row = ended(workspace, number, 60)
    assert (row.state, row.result["checkpoint_step"]) == ("stopped", curve(workspace, number)[-1][0])
    assert shell(workspace, "runs", "resume", run_id, "--wait")[0] == 0
    until(workspace, lambda: workspace.runs.row(number).state == "done", 10)
    assert [step for step, _ in curve(workspace, number)] == list(range(1, 61))
    assert job_of(workspace, number).endswith("-2")
    asked = shell(workspace, "doctor", *("--set", on_ray()[0]), *("--set", on_ray()[1]))
    assert "nodes: 2; CPU 2, GPU 0" in asked[1]
