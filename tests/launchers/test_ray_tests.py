"""Patches that are tested by tasks of Ray: whose verdict counts, and the same rows on a real cluster of two nodes."""

from __future__ import annotations

import time
from itertools import repeat
from pathlib import Path
from threading import Timer
from types import SimpleNamespace

import httpx2
import pytest
from ray_cluster import ray  # noqa: F401
from runs_to_end import ended, rows_of, until

from engine.control.workspace import Workspace
from engine.domain import Outcome, Patch, Verdict
from engine.launchers import ray_tests
from engine.launchers.ray import Ray
from engine.launchers.ray_folder import read_note
from engine.launchers.ray_jobs import Cluster
from engine.plugins import BENCHMARKS, SANDBOXES
from engine.rundir import RunDir
from engine.spec_files import read_spec

SPEC = ["model=starter", "limit=6", "candidates=4", "workers=1", 'name=""', "generator=sampling", "seed=5"]


def test_a_worker_is_told_of_tasks_only_where_they_are_wanted():
    assert Ray(Ray.Params(address="local"))._tests() == {}
    assert Ray(Ray.Params(address="local", validate_on="cluster", most_tests=3))._tests() == {ray_tests.TESTS: "3"}


def test_without_tasks_a_benchmark_tests_here_and_ray_is_not_loaded(monkeypatch):
    monkeypatch.delenv(ray_tests.TESTS, raising=False)
    source, params = BENCHMARKS.create(BENCHMARKS.params("pocket")), BENCHMARKS.params("pocket")
    assert ray_tests.spread(source, params, SANDBOXES.params("auto"), 2) == (source.evaluate, 2)


def test_a_node_where_the_tests_do_not_work_gives_no_verdict(monkeypatch):
    class Place:
        def describe(self):
            return "namespaces"

    class Source:
        outcome = Outcome.NOT_RUN

        def evaluate(self, bug, patch, place):
            return Verdict(self.outcome, "")

    source = Source()
    monkeypatch.setattr(ray_tests, "_made", lambda *_: (source, Place()))
    asked = ("{}", "{}", "namespaces", None, None)
    assert list(ray_tests.told(*asked)) == [None]
    source.outcome = Outcome.TEST_FAILED
    assert [each and each.outcome for each in ray_tests.told(*asked)] == [None, Outcome.TEST_FAILED]
    assert list(ray_tests.told("{}", "{}", "another", None, None)) == [None]


class Lost(Exception):
    """As Ray's own, for a task whose node is lost."""


class Failed(Lost):
    """As Ray's own, for a task that raised something."""


class SmallRay:
    """What Ray does for tasks: a task is the list of what it tells, one after the other; an error is raised."""

    exceptions = SimpleNamespace(RayError=Lost, RayTaskError=Failed)

    def __init__(self, *tasks):
        self.tasks, self.begun, self.cancelled = list(tasks), [], []

    def begin(self, *asked):
        self.begun.append(asked)
        return iter(self.tasks.pop(0))

    def wait(self, tasks, timeout):
        time.sleep(0.01)
        return ([], tasks) if isinstance(tasks[0], repeat) else (tasks, [])

    def get(self, told):
        if isinstance(told, Exception):
            raise told
        return told

    def cancel(self, task):
        self.cancelled.append(task)


class Tests:
    """A benchmark whose tests all fail here."""

    def evaluate(self, bug, patch, sandbox):
        return Verdict(Outcome.TEST_FAILED, "here")


@pytest.mark.parametrize(
    ("tasks", "reason", "begun"),
    [
        ([[None, Verdict(Outcome.PLAUSIBLE, "there")]], "there", 1),
        ([[None, Lost()], [Lost()], [None, Verdict(Outcome.PLAUSIBLE, "there")]], "there", 3),
        ([[None, Lost()]] * 5, "here", ray_tests.TRIES),
        ([[None, Failed("no such sandbox")]], "here", 1),
        ([[None]], "here", 1),
        ([repeat(None)], "here", 1),
    ],
)
def test_what_a_task_says_or_else_the_tests_here_give_the_verdict(tasks, reason, begun):
    cluster = SmallRay(*tasks)
    spread = ray_tests.Spread(Tests(), cluster, cluster.begin, 1)
    assert spread._here.acquire(blocking=False), "the one place here is taken"
    Timer(0.2, spread._here.release).start()
    verdict = spread.evaluate(SimpleNamespace(id="b"), Patch("b", "text"), SimpleNamespace(describe=lambda: "s"))
    assert (verdict.reason, len(cluster.begun)) == (reason, begun)
    assert len(cluster.cancelled) == isinstance(tasks[0], repeat), "a task for which there is no room is dropped"
    assert spread._here.acquire(timeout=1), "it is free again"
    assert not spread._here.acquire(blocking=False), "and only once"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory, ray):  # noqa: F811
    opened = Workspace(tmp_path_factory.mktemp("raytests") / "home")
    yield opened
    for run in opened.runs.list():
        opened.runs.stop(run.id, now=True)
    until(opened, lambda: all(run.state != "stopping" for run in opened.runs.list()), 60)
    opened.close()


def tasks(address):
    """(state, Ray's id of the node) of each task that tests a patch."""
    found = httpx2.get(f"{address}/api/v0/tasks", params={"detail": "false", "limit": 1000}).json()
    rows = found["data"]["result"]["result"]
    return [(row["state"], row["node_id"]) for row in rows if row["name"] == "told"]


@pytest.mark.slow
@pytest.mark.long
def test_rows_are_those_of_a_run_here_and_a_lost_node_fails_no_patch(workspace, ray, tmp_path):  # noqa: F811
    """The run's own node has no core free for tasks, so these are on the other one."""
    at = ["launcher=ray", f"launcher.address={ray.address}", "launcher.cpus=0.01", 'launcher.resources=["one=0.01"]']
    far = [*at, "launcher.validate_on=cluster", "launcher.most_tests=2"]
    here = ended(workspace, workspace.runs.submit(read_spec("benchmark", "", SPEC)))
    wanted = rows_of(here)
    assert len(wanted) > 24, "patches and controls"
    cached = workspace.home / "verdicts"
    cached.rename(tmp_path / "verdicts")  # so that each patch is tested again
    run = ended(workspace, workspace.runs.submit(read_spec("benchmark", "", [*SPEC, *far])))
    assert rows_of(run) == wanted
    done = [node for state, node in tasks(ray.address) if state == "FINISHED"]
    assert len(done) > 3
    job = Cluster(ray.address).job(read_note(Path(run.folder)).job, is_fresh=True)
    assert set(done) not in ({job.node}, {""})
    assert len(set(done)) == 1, "elsewhere"
    tested, both = run.result["rates"]["tested"], here.result["rates"]["tested"]
    assert (tested, len(done) < tested) == (both, True), "here too"
    cached.rename(tmp_path / "again")
    run_id = workspace.runs.submit(read_spec("benchmark", "", [*SPEC, *far]))
    until(workspace, lambda: len(tasks(ray.address)) > len(done))
    ray.kill("two")
    assert rows_of(ended(workspace, run_id)) == wanted
    ray.add("two")
    cached.rename(tmp_path / "once more")
    before = len(tasks(ray.address))
    run_id = workspace.runs.submit(read_spec("benchmark", "", [*SPEC, *far, "limit=40"]))
    until(workspace, lambda: len(tasks(ray.address)) > before)
    began = time.monotonic()
    workspace.runs.stop(run_id)
    ended(workspace, run_id, "stopped")
    assert time.monotonic() - began < 15


@pytest.mark.slow
def test_shards_on_two_nodes_come_to_the_rows_of_one_worker_here(workspace, ray):  # noqa: F811
    at = ["launcher=ray", f"launcher.address={ray.address}", "launcher.cpus=1", "launcher.most_active=2", "shards=2"]
    ids = [workspace.runs.submit(read_spec("benchmark", "", [*SPEC, *more])) for more in ([], at)]
    here, run = (ended(workspace, run_id) for run_id in ids)
    assert rows_of(run) == rows_of(here)
    folder = RunDir(Path(run.folder))
    jobs = [read_note(folder.shard(number).path).job for number in (1, 2)]
    assert len({Cluster(ray.address).job(job, is_fresh=True).node for job in jobs}) == 2
    assert f"shard 2: Ray job {jobs[1]}" in folder.log.read_text()
