"""SIGKILL to a benchmark's worker: its temporary folders are removed, and the resumed run evaluates nothing twice."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from engine.control.workspace import Workspace
from engine.launchers.local import parse_handle
from engine.rundir import RunDir
from engine.spec_files import read_spec
from engine.temporary import OWNER

pytestmark = pytest.mark.slow


def until(workspace, holds, seconds=180):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        workspace.tick()
        if holds():
            return
        time.sleep(0.1)
    raise AssertionError("it did not happen in time")


def test_a_killed_benchmark_run_continues_with_its_verdicts(home):
    workspace = Workspace(home)
    run_id = killed_and_resumed(workspace, ["limit=40", "candidates=5"], after=4)
    assert_each_evaluated_once(workspace, run_id, 40 * (5 + 2))
    workspace.close()


def test_a_killed_run_of_200_samples_a_bug_goes_on_behind_the_bugs_that_are_finished(home):
    workspace = Workspace(home)
    overrides = ["limit=3", "candidates=200", "generator=sampling", "generator.max_new_tokens=24"]
    run_id = killed_and_resumed(workspace, overrides, after=210)
    assert_each_evaluated_once(workspace, run_id, 3 * (200 + 2))
    events = RunDir(Path(workspace.runs.row(run_id).folder)).events().events
    began = [place for place, event in enumerate(events) if getattr(event.payload, "state", "") == "running"]
    assert len(began) == 2
    written = [
        event.payload.text for event in events[began[1] :] if "bugs written" in getattr(event.payload, "text", "")
    ]
    assert written[0].startswith(("2 of 3 bugs written", "3 of 3 bugs written")), "a finished bug was written again"
    result = workspace.runs.row(run_id).result
    assert list(result["plausible_at"]) == ["1", "5", "10", "50", "80", "100", "200"]
    assert set(result["counted_at"].values()) == {3}
    workspace.close()


def killed_and_resumed(workspace, overrides, after, preset="demo"):
    """A finished run whose worker was killed once it had evaluated `after` patches; its temporary folders are gone."""
    run_id = workspace.runs.submit(read_spec("benchmark", preset, overrides))
    until(workspace, lambda: workspace.runs.row(run_id).progress_done >= after)
    run = workspace.runs.row(run_id)
    folders = temporary_folders(parse_handle(run.handle)[1])
    assert folders, "a benchmark keeps its tools in a temporary folder"
    os.kill(parse_handle(run.handle)[1], signal.SIGKILL)
    until(workspace, lambda: workspace.runs.row(run_id).state == "failed")
    run = workspace.runs.row(run_id)
    assert (run.cause, "killed (possibly out of memory)" in run.error) == ("killed", True)
    assert not [folder for folder in folders if folder.exists()]
    workspace.runs.resume(run_id)
    until(workspace, lambda: workspace.runs.row(run_id).state == "done")
    return run_id


def temporary_folders(pid):
    """The temporary folders that a running process holds; files that it closes meanwhile are passed over."""
    folders = []
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            opened = path.readlink()
            folders += [opened.parent] if opened.name == OWNER else []
    return folders


def assert_each_evaluated_once(workspace, run_id, patches):
    said = Counter(
        (event.payload.bug_id, event.payload.source, event.payload.rank)
        for event in RunDir(Path(workspace.runs.row(run_id).folder)).events().events
        if event.kind == "patch"
    )
    assert set(said.values()) == {1}
    assert len(said) == patches


def test_a_killed_run_with_a_strategy_goes_on_from_its_turns(home):
    """The same rows as those of a run that nobody kills, but for the times."""
    workspace = Workspace(home)
    settings = ['benchmark.languages=["python"]', "limit=6", "candidates=4"]
    killed = killed_and_resumed(workspace, settings, after=5, preset="test-feedback")
    whole = workspace.runs.submit(read_spec("benchmark", "test-feedback", settings))
    until(workspace, lambda: workspace.runs.row(whole).state == "done")
    assert rows_of(workspace, killed) == rows_of(workspace, whole)
    one, other = (workspace.runs.row(each).result for each in (killed, whole))
    names = ("scored", "plausible_at", "counted_at", "patches", "outcomes", "strategy")
    assert {name: one[name] for name in names} == {name: other[name] for name in names}
    workspace.close()


def rows_of(workspace, run_id):
    """(bug, source, rank) -> what was written, for which prompt, and the outcome; each was said once."""
    events = RunDir(Path(workspace.runs.row(run_id).folder)).events().events
    said = [event.payload for event in events if event.kind == "patch"]
    found = {
        (each.bug_id, each.source, each.rank): (each.completion, each.prompt, each.verdict.outcome) for each in said
    }
    assert len(found) == len(said), "a patch was evaluated twice"
    return found
