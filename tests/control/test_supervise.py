"""Watching continues whatever happens to one run."""

from __future__ import annotations

import errno
import shutil
import threading
import time
from pathlib import Path

import pytest

from engine import requeued
from engine.control.queue import NotEnoughDisk
from engine.errors import OutsideFailure
from engine.rundir import RunDir
from engine.spec_files import read_spec


def test_a_run_whose_folder_was_removed_fails_and_the_others_go_on(workspace, started, mute):
    gone, folder = started("chat", "bug=x")
    other, its_folder = started()
    shutil.rmtree(folder.path)
    its_folder.append("progress", done=1, total=2, text="half")
    workspace.tick()
    lost = workspace.runs.row(gone)
    assert (lost.state, lost.cause) == ("failed", "outside")
    assert "was removed while it ran" in lost.error
    assert mute.asked == "force"
    assert workspace.runs.row(other).progress_text == "half"


@pytest.mark.parametrize("lost", ["all of it", "its events"])
def test_a_run_whose_folder_was_removed_can_start_over(workspace, started, lost):
    """Its new worker counts from 1; patches, which somebody may have reviewed, are replaced as they come."""
    run_id, folder = started()
    for step in (1, 2, 3):
        folder.append("metric", step=step, values={"loss": 1.0})
    folder.append("bug", id="b", language="python", path="a.py", start=1, end=1, buggy="x\n", fixed="y\n")
    folder.append("patch", bug_id="b", source="model", rank=2, text="y\n", verdict={"outcome": "plausible"})
    folder.events_path.open("a").write("{broken\n")
    folder.append("progress", done=2, total=4, text="two of four")
    workspace.tick()
    shutil.rmtree(folder.path) if lost == "all of it" else folder.events_path.unlink()
    workspace.tick()
    assert workspace.runs.row(run_id).state == "failed"
    workspace.runs.resume(run_id)
    workspace.tick()
    run = workspace.runs.row(run_id)
    assert (run.state, run.progress_done, run.progress_text, run.broken_lines) == ("starting", 0, "", 0)
    assert workspace.runs.metrics(run_id) == {}
    anew = RunDir(folder.path)
    anew.append("state", state="running")
    anew.append("metric", step=1, values={"loss": 2.0})
    workspace.tick()
    assert workspace.runs.row(run_id).state == "running"
    assert [value for _, value, _ in workspace.runs.metrics(run_id)["loss"]] == [2.0]
    anew.append("patch", bug_id="b", source="model", rank=2, text="z\n", verdict={"outcome": "test_failed"})
    workspace.tick()
    (row,), total = workspace.patches.page(run_id)
    assert (total, row.cells, row.n_plausible) == (1, ((2, "test_failed"),), 0)
    anew.append("state", state="done", result={})
    workspace.tick()
    assert workspace.runs.row(run_id).state == "done"


def test_a_conversation_whose_question_was_lost_with_the_folder_can_go_on(workspace, mute):
    conversation = workspace.chats.start(read_spec("chat", "demo", ["bug=pocket/py-clock-format"]))
    workspace.chats.send(conversation, "look at midnight")
    workspace.tick()
    run_id = workspace.chats.get(conversation).run_id
    shutil.rmtree(workspace.runs.row(run_id).folder)
    workspace.tick()
    workspace.runs.resume(run_id)
    workspace.tick()
    assert not workspace.chats.view(conversation).is_busy, "no worker has its question"
    workspace.chats.send(conversation, "look at midnight")
    (question,), _ = RunDir(Path(workspace.runs.row(run_id).folder)).questions()
    assert question["message"] == "look at midnight"


def full(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device", "/home/x")


@pytest.mark.parametrize("what", ["little is left", "its folder", "its log", "its worker"])
def test_on_a_full_disk_what_is_queued_waits_and_starts_once_there_is_room(workspace, mute, monkeypatch, what):
    ids = [workspace.runs.submit(read_spec(kind)) for kind in ("benchmark", "benchmark", "chat")]
    with monkeypatch.context() as filled:
        if what == "little is left":
            filled.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 5 << 20})())
        elif what == "its worker":
            filled.setattr(mute, "submit", full)
        else:
            filled.setattr({"its folder": "engine.rundir.write_whole", "its log": "pathlib.Path.touch"}[what], full)
        for _ in range(3):
            with pytest.raises(NotEnoughDisk) as error:
                workspace.tick()
            assert str(error.value).startswith(f"no disk space: run {ids[0]} (starter on pocket) waits, ")
            assert str(error.value).endswith("; it starts as soon as there is space")
            assert [workspace.runs.row(number).state for number in ids] == ["queued"] * 3
    workspace.tick()
    assert [workspace.runs.row(number).state for number in ids] == ["starting", "queued", "starting"]


def test_a_queue_that_waits_for_disk_space_is_reported_once(workspace, mute, monkeypatch, capsys):
    run_id = workspace.runs.submit(read_spec("benchmark"))
    with monkeypatch.context() as filled:
        filled.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 5 << 20})())
        ended = workspace.watch(period_s=0.01)
        wait_for(lambda: workspace.trouble)
        time.sleep(0.1)  # several looks
    wait_for(lambda: workspace.runs.row(run_id).state == "starting")
    wait_for(lambda: not workspace.trouble)
    ended.set()
    assert capsys.readouterr().out.count("no disk space") == 1


def test_what_is_stopped_while_it_waits_for_room_does_not_start(workspace, mute, monkeypatch):
    run_id = workspace.runs.submit(read_spec("benchmark"))

    def stopped_then_full(*_):
        workspace.runs.stop(run_id)
        full()

    monkeypatch.setattr(mute, "submit", stopped_then_full)
    with pytest.raises(NotEnoughDisk):
        workspace.tick()
    assert workspace.runs.row(run_id).state == "stopping"


def wait_for(holds, seconds=10):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


@pytest.mark.parametrize("now", [False, True])
def test_a_run_is_stopped_while_its_launcher_tries_to_start_it(workspace, mute, now):
    def tries(run_dir, environment):
        while not requeued.is_asked_to_stop(run_dir):
            time.sleep(0.01)
        raise OutsideFailure("it was stopped while gpu1 could not be reached")

    mute.submit = tries
    run_id = workspace.runs.submit(read_spec("benchmark", "", []))
    workspace.tick()
    assert workspace.runs.row(run_id).state == "starting"
    workspace.runs.stop(run_id, now=now)
    deadline = time.monotonic() + 10
    while workspace.runs.row(run_id).state == "stopping" and time.monotonic() < deadline:
        workspace.tick()
        time.sleep(0.01)
    run = workspace.runs.row(run_id)
    assert (run.state, run.error, run.cause) == ("stopped", "", "")
    assert run.ended_at is not None


def test_what_a_launcher_does_to_start_a_run_is_told_until_it_has_started_it(workspace, mute):
    goes_on = threading.Event()
    mute.starting = lambda run_dir: f"carrying what {run_dir.name} needs"
    mute.submit = lambda *_: goes_on.wait(20) and "mute"
    run_id = workspace.runs.submit(read_spec("benchmark", "", []))
    workspace.tick()
    workspace.tick()
    run = workspace.runs.row(run_id)
    assert (run.state, run.progress_text) == ("starting", f"carrying what {run_id} needs")
    goes_on.set()
    deadline = time.monotonic() + 10
    while not workspace.runs.row(run_id).handle and time.monotonic() < deadline:
        workspace.tick()
        time.sleep(0.01)
    assert workspace.runs.row(run_id).progress_text == ""


def test_a_run_that_is_resumed_while_its_worker_is_still_being_killed_starts_after_that(workspace, started, mute):
    """The kill ends all processes with the run's mark, so the new worker too."""
    goes_on = threading.Event()
    mute.stop = lambda *_, force: goes_on.wait(20)
    run_id, folder = started()
    workspace.runs.stop(run_id, now=True)
    workspace.tick()
    folder.append("state", state="stopped")
    workspace.tick()
    assert workspace.runs.row(run_id).state == "stopped"
    workspace.runs.resume(run_id)
    workspace.tick()
    assert workspace.runs.row(run_id).state == "queued"
    goes_on.set()
    deadline = time.monotonic() + 10
    while workspace.runs.row(run_id).state == "queued" and time.monotonic() < deadline:
        workspace.tick()
        time.sleep(0.01)
    assert workspace.runs.row(run_id).state == "starting"


def test_many_runs_are_watched_in_turn_and_those_to_be_stopped_first(workspace, started, mute, monkeypatch):
    """A tick is short however many runs there are; what they say waits in their files."""
    monkeypatch.setattr("engine.control.supervise.WATCH_S", 0.0)
    monkeypatch.setattr("engine.control.supervise.LEAST_WATCHED", 2)
    monkeypatch.setattr(mute, "needs", dict)
    made = [started("dataset") for _ in range(5)]
    for _, folder in made:
        folder.append("state", state="running")
    for _ in range(3):  # until none is starting any more
        workspace.tick()
    assert {workspace.runs.row(run_id).state for run_id, _ in made} == {"running"}
    for _, folder in made:
        folder.append("progress", done=1, total=2, text="half")
    heard = []
    for _ in range(3):
        workspace.tick()
        heard.append({number for number, (run_id, _) in enumerate(made) if workspace.runs.row(run_id).progress_text})
    assert [len(each) for each in heard] == [2, 4, 5]
    assert workspace._supervisor.is_behind
    workspace.runs.stop(made[3][0])
    workspace.tick()
    assert mute.all_asked == ["please"]
