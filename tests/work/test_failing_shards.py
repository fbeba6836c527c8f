"""The worker of a run in shards: of which cause it fails, what it starts again, and what its shards inherit."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from elsewhere import events_of, told

from engine.events import State
from engine.launchers.local import MARK
from engine.launchers.slurm import WHY
from engine.run_inputs import Inputs
from engine.rundir import RunDir
from engine.work import lead as leading
from engine.work.__main__ import main, work


def failed(tmp_path, monkeypatch):
    """The last state of a run in two shards, as its worker says it."""
    run = RunDir.create(tmp_path / "home" / "runs" / "8", {"kind": "benchmark", "model": "x", "shards": 2}, Inputs())
    monkeypatch.setattr("engine.work.__main__.inputs_of", lambda run, kind: run.inputs())
    assert work(run) == 1
    return told(run, State)[-1]


@pytest.mark.parametrize(
    ("cause", "advice"),
    [
        ("user", ""),
        ("bug", ""),
        ("does_not_fit", ""),
        ("out_of_memory", ""),
        ("disk_full", "; free some space there, then resume"),
    ],
)
def test_a_run_fails_of_the_cause_of_its_shard(cluster, tmp_path, monkeypatch, cause, advice):
    cluster.events = lambda number: [State("running"), State("failed", error="what it said", cause=cause)]
    last = failed(tmp_path, monkeypatch)
    assert (last.state, last.cause) == ("failed", cause)
    assert last.error in [f"shard {number} of 2: what it said{advice}" for number in (1, 2)]


def test_a_shard_that_fails_again_and_again_for_what_is_outside_says_so(cluster, tmp_path, monkeypatch):
    cluster.events = lambda number: [State("running"), State("failed", error="no answer", cause="outside")]
    last = failed(tmp_path, monkeypatch)
    assert last.cause == "outside"
    assert last.error.endswith(" of 2: no answer; resume goes on with the shards that are left")
    assert max(cluster.submitted.count(number) for number in (1, 2)) == leading.STARTS


@pytest.mark.parametrize(
    "why", [f"its SLURM job 17 {WHY['CANCELLED']}", "its Ray job x was stopped in Ray, and not by the studio"]
)
def test_a_job_that_an_administrator_ended_is_not_put_back(cluster, tmp_path, monkeypatch, why):
    cluster.why = why
    cluster.events = lambda number: events_of(number)[:-1]
    monkeypatch.setattr(cluster, "is_alive", lambda handle: False)
    last = failed(tmp_path, monkeypatch)
    assert last.cause == "outside"
    assert f" of 2: {why}; resume goes on" in last.error
    assert len(cluster.submitted) <= 2
    cluster.why = f"its SLURM job 17 {WHY['PREEMPTED']}"  # that one is
    failed(tmp_path / "other", monkeypatch)
    assert len(cluster.submitted) > 4


def test_shards_choose_their_threads_by_their_own_machine(cluster, tmp_path, monkeypatch):
    seen, submit = [], cluster.submit

    def submitted(run_dir, environment):
        seen.append({**os.environ, **environment})
        return submit(run_dir, environment)

    def prepared():
        os.environ["OMP_NUM_THREADS"] = "96"
        return ["OMP_NUM_THREADS"]

    monkeypatch.setattr(cluster, "submit", submitted)
    monkeypatch.setattr("engine.work.__main__.prepare_process", prepared)
    monkeypatch.setattr("engine.work.__main__.inputs_of", lambda run, kind: run.inputs())
    monkeypatch.setenv(MARK, "of the leader")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")  # so that it is put back
    run = RunDir.create(tmp_path / "home" / "runs" / "8", {"kind": "benchmark", "model": "x", "shards": 2}, Inputs())
    assert main(run.path) == 0
    assert [each.get("OMP_NUM_THREADS") for each in seen] == [None, None]
    assert sorted(each[MARK] for each in seen) == [str(run.shard(1).path), str(run.shard(2).path)]


def test_a_variable_of_the_user_is_no_workers_own():
    code = "from engine.work.__main__ import prepare_process\nprint(prepare_process())"
    theirs = {"OMP_NUM_THREADS": "3", "OMP_WAIT_POLICY": "ACTIVE"}
    env = {name: value for name, value in os.environ.items() if name != "PYTORCH_CUDA_ALLOC_CONF"}
    done = subprocess.run([sys.executable, "-c", code], env=env | theirs, capture_output=True, text=True, check=True)
    assert "PYTORCH_CUDA_ALLOC_CONF" in done.stdout
    assert not [name for name in theirs if name in done.stdout]


def test_no_more_is_asked_of_a_service_than_its_limit_however_many_shards_there_are(cluster, tmp_path, monkeypatch):
    monkeypatch.setattr("engine.work.__main__.inputs_of", lambda run, kind: run.inputs())
    cluster.places_there = 4
    spec = {"kind": "benchmark", "model": "x", "shards": 8, "generator": {"name": "endpoint", "per_minute": 20}}
    run = RunDir.create(tmp_path / "home" / "runs" / "8", spec, Inputs())
    (run.shard(1).path / "artifacts").mkdir(parents=True)
    RunDir.create(run.shard(1).path, spec, Inputs())  # when there was room for one
    assert work(run) == 0
    assert [run.shard(number).spec()["generator"]["per_minute"] for number in (1, 2, 8)] == [5, 5, 5]
