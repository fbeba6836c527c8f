"""A slow launcher does not delay other runs."""

from __future__ import annotations

import os
import shutil
import threading
import time

import pytest

from engine.control.polls import Polls
from engine.control.workspace import Workspace
from engine.launchers import Place
from engine.rundir import Inputs, RunDir
from engine.shell.follow import show_run, show_runs
from studio.html.basics import run_strip


def test_an_answer_is_returned_once_and_then_asked_for_again():
    polls, goes_on, asked = Polls(), threading.Event(), []

    def slow(what):
        asked.append(what)
        goes_on.wait(10)
        return what.upper()

    assert polls.answer("one", slow, "a") is None
    assert polls.answer("one", slow, "a") is None, "the same question is not asked twice"
    assert asked == ["a"]
    goes_on.set()
    while (answer := polls.answer("one", slow, "a")) is None:
        time.sleep(0.01)
    assert answer == "A"
    assert polls.answer("one", slow, "b") == "B"


def test_what_the_question_raises_is_raised():
    with pytest.raises(OSError, match="away"):
        Polls().answer("one", lambda: (_ for _ in ()).throw(OSError("away")))


def test_while_one_launcher_takes_long_other_runs_are_watched_and_started(workspace, started, mute, monkeypatch):
    ends = threading.Event()
    first, _ = started("chat")
    monkeypatch.setattr(mute, "is_alive", lambda handle: ends.wait(60))
    began = time.monotonic()
    second, folder = started("benchmark")
    folder.append("progress", done=1, total=2, text="half")
    workspace.tick()
    assert time.monotonic() - began < 5
    assert workspace.runs.row(second).progress_text == "half"
    assert workspace.runs.row(first).state == "starting", "nobody knows yet whether its worker is alive"
    ends.set()


@pytest.fixture
def hanging(mute, monkeypatch):
    """Make one of the launcher's methods hang for some runs until the test ends it; returns what was called."""
    ends, calls = threading.Event(), []

    def hang(method, concerns=lambda *about: True):
        whole = getattr(mute, method)

        def called(*about, **how):
            if concerns(*about):
                calls.append(about)
                ends.wait(60)
            return whole(*about, **how)

        monkeypatch.setattr(mute, method, called)
        return calls, ends.set

    yield hang
    ends.set()


def other_goes_on(workspace, started):
    began = time.monotonic()
    run_id, folder = started("chat", "model=starter")
    folder.append("progress", done=1, total=2, text="half")
    workspace.tick()
    assert time.monotonic() - began < 5
    return workspace.runs.row(run_id).progress_text == "half"


def test_a_launcher_that_hangs_in_starting_a_run_holds_up_that_run_alone(workspace, started, hanging):
    calls, go_on = hanging("submit", lambda path, _: path.name == "1")
    run_id, _ = started("chat")
    assert other_goes_on(workspace, started)
    assert (workspace.runs.row(run_id).state, len(calls)) == ("starting", 1)
    go_on()
    until(workspace, lambda: workspace.runs.row(run_id).handle == "mute")
    assert len(calls) == 1


@pytest.mark.parametrize("method", ["stop", "interruption"])
def test_a_launcher_that_hangs_in_ending_a_run_holds_up_that_run_alone(workspace, started, hanging, mute, method):
    run_id, _ = started("chat")
    calls, go_on = hanging(method)
    workspace.runs.stop(run_id)
    if method == "interruption":
        mute.is_alive = lambda handle: handle != "mute" or workspace.runs.row(run_id).state != "stopping"
    workspace.tick()
    assert other_goes_on(workspace, started)
    assert (workspace.runs.row(run_id).state, len(calls)) == ("stopping", 1)
    go_on()
    if method == "stop":
        until(workspace, lambda: workspace.runs.row(run_id).stop_sent_at)
        assert mute.all_asked == ["please"]
    else:
        until(workspace, lambda: workspace.runs.row(run_id).state == "stopped")


def test_a_launcher_that_does_not_tell_its_room_starts_nothing_until_it_does(workspace, started, hanging):
    _, go_on = hanging("room")
    run_id, _ = started("benchmark")
    assert other_goes_on(workspace, started)
    assert workspace.runs.row(run_id).state == "queued"
    go_on()
    until(workspace, lambda: workspace.runs.row(run_id).state == "starting")


@pytest.fixture
def another(workspace):
    """A second studio, or a shell, on the same home."""
    opened = Workspace(workspace.home)
    yield opened
    opened.close()


def test_a_run_that_one_studio_is_starting_is_not_started_by_another(workspace, another, started, hanging, monkeypatch):
    monkeypatch.setattr("engine.control.supervise.STARTING_S", 0.0)
    calls, go_on = hanging("submit")
    run_id, _ = started("chat")
    for _ in range(3):
        another.tick()
    assert (workspace.runs.row(run_id).state, len(calls)) == ("starting", 1)
    go_on()
    until(workspace, lambda: workspace.runs.row(run_id).handle == "mute")
    assert len(calls) == 1


def test_a_run_whose_studio_was_killed_while_it_started_it_is_found_and_not_started_again(
    workspace, another, started, hanging, mute, monkeypatch
):
    calls, _ = hanging("submit")
    run_id, _ = started("chat")
    workspace._supervisor._polls._locks.pop(("submit", run_id)).close()  # as the kernel does it
    monkeypatch.setattr(mute, "find", lambda path: "found")
    another.tick()
    assert (another.runs.row(run_id).handle, len(calls)) == ("found", 1)


def test_a_run_whose_studio_was_killed_before_its_launcher_had_taken_it_is_queued_again(
    workspace, another, started, hanging, mute, monkeypatch
):
    monkeypatch.setattr("engine.control.supervise.STARTING_S", 0.0)
    calls, go_on = hanging("submit")
    run_id, _ = started("chat")
    workspace._supervisor._polls._locks.pop(("submit", run_id)).close()  # as the kernel does it
    monkeypatch.setattr(mute, "find", lambda path: "")
    another._supervisor._queue.start_next = list
    another.tick()
    row = another.runs.row(run_id)
    assert (row.state, row.started_at, row.error) == ("queued", None, "")
    go_on()


def test_a_stop_is_passed_on_once_however_many_studios_look(workspace, another, started, hanging, mute):
    run_id, _ = started("chat")
    calls, go_on = hanging("stop")
    workspace.runs.stop(run_id)
    for studio in (workspace, another, workspace, another):
        studio.tick()
    go_on()
    until(workspace, lambda: workspace.runs.row(run_id).stop_sent_at)
    another.tick()
    assert (len(calls), mute.all_asked) == (1, ["please"])


def test_the_worker_of_a_run_that_was_given_up_while_it_started_is_ended_when_it_comes(
    workspace, started, hanging, mute
):
    _, go_on = hanging("submit")
    run_id, folder = started("chat")
    shutil.rmtree(folder.path)
    workspace.tick()
    assert workspace.runs.row(run_id).state == "failed"
    assert mute.all_asked == []
    go_on()
    until(workspace, lambda: mute.all_asked == ["force"])


def test_a_job_that_waits_for_a_machine_is_neither_dead_nor_silent(workspace, started, mute, monkeypatch):
    run_id, folder = started("benchmark")
    folder.beat()
    os.utime(folder.path / "heartbeat", (1, 1))  # of an earlier life: it was put back into the launcher's queue
    folder.append("state", state="running")
    monkeypatch.setattr(mute, "is_alive", lambda handle: "pending")
    for _ in range(2):
        workspace.tick()
    run = workspace.runs.row(run_id)
    assert (run.state, run.progress_text) == ("starting", "waiting for a machine")
    folder.beat()
    folder.append("state", state="running")
    monkeypatch.setattr(mute, "is_alive", lambda handle: True)
    workspace.tick()
    run = workspace.runs.row(run_id)
    assert (run.state, run.progress_text) == ("running", "")
    monkeypatch.setattr(mute, "is_alive", lambda handle: "pending")
    workspace.runs.stop(run_id)
    workspace.tick()
    assert mute.all_asked == ["please"]


def test_an_answer_that_is_older_than_the_worker_does_not_put_its_run_back(workspace, started, mute, monkeypatch):
    run_id, folder = started("benchmark")

    def is_alive(handle):
        folder.beat()  # it begins while the launcher is asked
        folder.append("state", state="running")
        return "pending"

    monkeypatch.setattr(mute, "is_alive", is_alive)
    workspace.tick()
    assert workspace.runs.row(run_id).state == "running"
    os.utime(folder.path / "heartbeat", (time.time() - 4, time.time() - 4))
    monkeypatch.setattr(mute, "is_alive", lambda handle: "pending")
    workspace.tick()
    assert workspace.runs.row(run_id).state == "starting", "it was put back"


def test_where_a_run_is_and_why_it_waits_is_shown_as_its_launcher_tells_it(
    workspace, started, mute, monkeypatch, capsys
):
    told = Place("SLURM job 17", "pending", "Resources")
    mute.place = lambda handle: told
    run_id, folder = started("benchmark")
    monkeypatch.setattr(mute, "is_alive", lambda handle: "pending")
    workspace.tick()
    run = workspace.runs.get(run_id)
    assert (run.state, run.progress, run.where) == ("starting", "waiting: Resources", "SLURM job 17")
    strip = run_strip(run)
    assert "waiting: Resources" in strip
    show_runs([run], as_json=False)
    show_run(workspace, run, as_json=False)
    listed, _, shown = capsys.readouterr().out.partition("run 1 ")
    assert "waiting: Resources" in listed
    assert "waiting: Resources" in shown
    assert "SLURM job 17" in shown
    assert "SLURM job 17" in strip
    told = Place("SLURM job 17 on <node>", "running")
    monkeypatch.setattr(mute, "is_alive", lambda handle: True)
    workspace.tick()
    run = workspace.runs.get(run_id)
    assert (run.state, run.progress, run.where) == ("starting", "", "SLURM job 17 on <node>")
    assert "on &lt;node&gt;" in run_strip(run)
    folder.append("state", state="failed", error="no memory")
    workspace.tick()
    assert workspace.runs.get(run_id).where == "SLURM job 17 on <node>", "to look for its traces there"


def test_a_launcher_that_hangs_in_telling_the_place_delays_nothing(workspace, started, hanging, mute):
    mute.place = lambda handle: Place("elsewhere")
    calls, go_on = hanging("place")
    run_id, folder = started("chat")
    folder.append("state", state="running")
    folder.append("progress", done=1, total=2, text="half")
    workspace.tick()
    assert other_goes_on(workspace, started)
    assert (workspace.runs.get(run_id).state, workspace.runs.get(run_id).progress) == ("running", "half")
    go_on()
    until(workspace, lambda: workspace.runs.get(run_id).where == "elsewhere")
    assert calls


def until(workspace, holds):
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        workspace.tick()
        time.sleep(0.01)


def test_a_launcher_gets_as_many_runs_as_it_has_room_for(workspace, started, mute, monkeypatch):
    monkeypatch.setattr(mute, "room", lambda: {"machine": 2})
    runs = [started("benchmark")[0] for _ in range(3)]
    assert [workspace.runs.row(run).state for run in runs] == ["starting", "starting", "queued"]
    assert isinstance(RunDir(workspace.home / "runs" / str(runs[0])).inputs(), Inputs)
