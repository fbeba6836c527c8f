"""A chat whose worker or server is killed in mid-answer: what was said is kept, and the conversation goes on."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from engine.control.workspace import Workspace
from engine.rundir import ENDED
from engine.spec_files import read_spec

pytestmark = pytest.mark.slow
BUG = "pocket/py-booking-overlap"  # the shipped adapter tries it again and again
LONG_S = 240


@pytest.fixture
def workspace(home):
    opened = Workspace(home)
    yield opened
    for run in opened.runs.list():
        if run.state not in ENDED:
            opened.runs.stop(run.id, now=True)
    until(opened, lambda: all(run.state in ENDED for run in opened.runs.list()))
    opened.close()


def until(workspace, is_so):
    begun = time.monotonic()
    while not is_so():
        assert time.monotonic() - begun < LONG_S
        workspace.tick()
        time.sleep(0.05)


def worker_of(workspace, conversation):
    folder = str(Path(workspace.runs.row(workspace.chats.get(conversation).run_id).folder))
    return next(
        each for each in psutil.process_iter(["cmdline"])
        if folder in (each.info["cmdline"] or []) and "engine.work" in each.info["cmdline"]
    )  # fmt: skip


@pytest.fixture
def talk(workspace):
    """A conversation in the middle of an answer of many turns."""
    conversation = workspace.chats.start(read_spec("chat", "demo", [f"bug={BUG}"]))
    workspace.chats.send(conversation, "look at the ends", budget=40)
    until(workspace, lambda: len(workspace.chats.view(conversation).turns) >= 2)
    return conversation


def test_a_worker_that_is_killed_costs_no_turn_that_was_said(workspace, talk):
    worker = worker_of(workspace, talk)
    os.kill(worker.pid, signal.SIGKILL)
    until(workspace, lambda: not workspace.chats.view(talk).is_busy)
    said = workspace.chats.view(talk)
    assert said.turns[0].text == "look at the ends"
    assert not psutil.pid_exists(worker.pid) or worker.status() == psutil.STATUS_ZOMBIE
    workspace.chats.send(talk, "and once more", budget=1)
    until(workspace, lambda: not workspace.chats.view(talk).is_busy)
    after = workspace.chats.view(talk)
    assert after.turns[: len(said.turns)] == said.turns
    assert "and once more" in [turn.text for turn in after.turns[len(said.turns) :]]


def test_a_server_that_is_killed_leaves_the_answer_to_its_worker(workspace, talk, home):
    """Another server begins with nothing but the home folder, while the worker goes on."""
    again = Workspace(home)
    before = len(again.chats.view(talk).turns)
    until(again, lambda: len(again.chats.view(talk).turns) > before or not again.chats.is_busy(talk))
    again.chats.halt(talk)
    until(again, lambda: not again.chats.is_busy(talk))
    turns = again.chats.view(talk).turns
    assert turns[0].text == "look at the ends"
    assert [turn.number for turn in turns] == list(range(1, len(turns) + 1))
    again.chats.unload(talk)
    until(again, lambda: again.runs.row(again.chats.get(talk).run_id).state in ENDED)
    assert not [each for each in psutil.process_iter(["cmdline"]) if str(home) in " ".join(each.info["cmdline"] or [])]
    again.close()
