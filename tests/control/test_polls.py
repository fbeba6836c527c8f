"""A slow launcher does not delay other runs."""

from __future__ import annotations

import threading
import time

import pytest

from engine.control.polls import Polls
from engine.rundir import Inputs, RunDir


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
    folder.emit("progress", done=1, total=2, text="half")
    workspace.tick()
    assert time.monotonic() - began < 5
    assert workspace.runs.get(second).progress_text == "half"
    assert workspace.runs.get(first).state == "starting", "nobody knows yet whether its worker is alive"
    ends.set()


def test_a_launcher_gets_as_many_runs_as_it_has_room_for(workspace, started, mute, monkeypatch):
    monkeypatch.setattr(mute, "capacity", lambda: 2)
    runs = [started("benchmark")[0] for _ in range(3)]
    assert [workspace.runs.get(run).state for run in runs] == ["starting", "starting", "queued"]
    assert isinstance(RunDir(workspace.home / "runs" / str(runs[0])).inputs(), Inputs)
