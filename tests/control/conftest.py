"""A workspace in a temporary folder, and runs whose events are written by the test instead of a worker."""

from __future__ import annotations

from pathlib import Path

import pytest
from judging import judge
from talks import talk  # noqa: F401

from engine.control.workspace import Workspace
from engine.rundir import RunDir
from engine.spec_files import read_spec


@pytest.fixture
def workspace(home):
    opened = Workspace(home)
    yield opened
    opened.close()


class Mute:
    """A launcher that starts nothing: the test writes the worker's events itself."""

    name = "mute"

    def __init__(self, params=None):
        self.alive = True
        self.all_asked = []

    def check(self, spec):
        pass

    def room(self):
        return {"machine": 1}

    needs = room

    def submit(self, run_dir, environment):
        self.given = dict(environment)
        return "mute"

    def find(self, run_dir):
        return ""

    def is_alive(self, handle):
        return self.alive

    def interruption(self, handle):
        return "the machine was restarted while it ran" if handle == "another boot" else ""

    def stop(self, handle, run_dir, *, force):
        self.asked = "force" if force else "please"
        self.all_asked.append(self.asked)


@pytest.fixture
def mute(monkeypatch):
    """The one launcher of this test."""
    launcher = Mute()
    monkeypatch.setattr("engine.plugins.LAUNCHERS.create", lambda params: launcher)
    return launcher


@pytest.fixture
def started(workspace, mute):
    """Make a run of some kind and start it; returns (run id, its folder)."""

    def start(kind="benchmark", *overrides, **options):
        run_id = workspace.runs.submit(read_spec(kind, "", list(overrides)), **options)
        workspace.tick()
        return run_id, RunDir(Path(workspace.runs.row(run_id).folder))

    return start


@pytest.fixture
def dataset(workspace, started):
    """A dataset called "mine" that is nothing but its row and an empty file."""
    run_id, folder = started("dataset", "name=mine")
    (folder.artifacts / "train.parquet").touch()
    report = {"rows": {"train": 3, "valid": 1}, "hash": "abc", "max_tokens": 100}
    folder.append("state", state="done", result=report)
    workspace.tick()
    assert workspace.runs.row(run_id).state == "done"
    return "mine"


@pytest.fixture
def judged(workspace, started):
    """A run with five bugs, of which three are scored."""
    run_id, folder = started("benchmark", "candidates=3")
    judge(folder, "b/easy", ["plausible", "test_failed", "plausible"])
    judge(folder, "b/hard", ["compile_error", "test_failed", "plausible"], kind="missing_guard")
    judge(folder, "b/lost", ["timeout", "no_patch", "test_failed"])
    judge(folder, "b/down", ["not_run", "not_run", "not_run"])
    folder.append(
        "bug", id="b/java", language="java", path="A.java", start=1, end=1, buggy="", fixed="", skipped="no JDK found"
    )
    workspace.tick()
    return run_id


@pytest.fixture
def finished(workspace):
    """Let the worker of a run say that it is done."""

    def finish(run_id, **result):
        RunDir(Path(workspace.runs.row(run_id).folder)).append("state", state="done", result=result)
        workspace.tick()

    return finish
