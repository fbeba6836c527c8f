"""A run whose job has ended and whose next one is given to Ray: by one process only, and until Ray has it."""

from __future__ import annotations

import pytest
from ray_dashboard import Dashboard

from engine.launchers import ray_jobs
from engine.launchers.named import name_of
from engine.launchers.ray import Ray
from engine.launchers.ray_folder import SECRETS, Note, read_note
from engine.launchers.ray_jobs import LATE, Cluster, NoAnswer


@pytest.fixture
def dashboard(monkeypatch):
    monkeypatch.setattr(ray_jobs, "FRESH_S", 1e-9)
    running = Dashboard()
    yield running
    running.server.shutdown()


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "home" / "runs" / "7"
    folder.mkdir(parents=True)
    return folder


def launcher(dashboard):
    return Ray(Ray.Params(address=dashboard.address))


def test_a_job_that_waited_too_long_for_ray_is_given_to_it_again(dashboard, run):
    own = launcher(dashboard)
    handle = own.submit(run, {"A": "b"})
    dashboard.becomes(read_note(run).job, "FAILED", error_type=LATE)
    assert own.is_alive(handle) == "pending"
    assert read_note(run) == Note(f"{name_of(run)}-2", dashboard.address, 2)
    assert (run / SECRETS).exists()
    own.stop(handle, run, force=False)
    assert dashboard.stopped == [f"{name_of(run)}-2"]
    assert own.is_alive(handle) is False, "though Ray says that it waits"
    assert not (run / SECRETS).exists()


def test_a_job_that_is_just_given_again_has_not_ended_for_another_process(dashboard, run, monkeypatch):
    own = launcher(dashboard)
    handle = own.submit(run, {"A": "b"})
    dashboard.becomes(read_note(run).job, "FAILED", error_type=LATE)
    others = []

    def another_asks(submitted):
        def submit(self, *words):
            others.append(own.is_alive(handle))  # the note names the next job, and Ray does not know it yet
            submitted(self, *words)

        return submit

    monkeypatch.setattr(Cluster, "submit", another_asks(Cluster.submit))
    assert own.is_alive(handle) == "pending"
    assert others == ["pending"]
    assert (run / SECRETS).exists()
    assert [each["submission_id"] for each in dashboard.sent] == [f"{name_of(run)}-{number}" for number in (1, 2)]


def test_a_job_that_ray_has_not_taken_is_given_again(dashboard, run, monkeypatch):
    own = launcher(dashboard)
    handle = own.submit(run, {"A": "b"})
    dashboard.becomes(read_note(run).job, "FAILED", error_type=LATE)

    def unanswered(self, *words):
        raise NoAnswer("no answer within 60 s")

    with monkeypatch.context() as patch:
        patch.setattr(Cluster, "submit", unanswered)
        assert own.is_alive(handle) == "pending"
    assert own.is_alive(handle) == "pending"
    assert read_note(run) == Note(f"{name_of(run)}-3", dashboard.address, 3)
    assert (run / SECRETS).exists()
    dashboard.jobs.clear()
    assert own.is_alive(handle) is False, "Ray had it, and was started again since"
