"""A conversation whose worker is the test: how it is started, where its folder is, and an answer in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.rundir import RunDir
from engine.spec_files import read_spec

BUG = "pocket/py-clock-format"
FAILED = {
    "outcome": "test_failed",
    "log": "E   assert 1 == 2",
    "failed": ["test_midnight"],
    "duration_s": 0.5,
    "sandbox": "bubblewrap 0.8.0",
}


def spec(*overrides):
    return read_spec("chat", "demo", [f"bug={BUG}", *overrides])


@pytest.fixture
def talk(workspace, mute):
    """A conversation that was asked for one repair, and its worker's folder."""
    conversation = workspace.chats.start(spec())
    workspace.tick()
    workspace.chats.send(conversation, "look at midnight", 2)
    return conversation, folder_of(workspace, conversation)


def folder_of(workspace, conversation):
    row = next(row for row, _ in workspace.chats.list() if row.id == conversation)
    return RunDir(Path(workspace.runs.row(row.run_id).folder))


def answer(folder, conversation, number, text, verdict=FAILED, patch="x\n"):
    folder.append(
        "turn",
        conversation=conversation, number=number, role="assistant", text=text, patch=patch, verdict=verdict,
    )  # fmt: skip
