"""What can be stopped from a page."""

from __future__ import annotations

import pytest
from filled import fill

from engine.control.workspace import Workspace
from engine.rundir import ACTIVE, ENDED
from storage.database import Database
from storage.tables import Run
from studio.app import create_app

CHAT = 9  # a run of the used home


@pytest.fixture
def studio(home):
    fill(home)
    workspace = Workspace(home)
    yield create_app(workspace)
    workspace.close()


def change(home, run_id, **values):
    database = Database(home / "studio.db")
    with database.write() as session:
        for column, value in values.items():
            setattr(session.get_one(Run, run_id), column, value)
    database.close()


def drawn(studio, page, name, *values):
    return next(part for part in studio.pages[page].parts if part.draw.__name__ == name).draw(*values)


@pytest.mark.parametrize("state", ["queued", *ACTIVE, *ENDED])
def test_a_chats_model_can_be_unloaded_while_it_is_there_also_when_it_is_frozen(studio, home, state):
    change(home, CHAT, state=state)
    *_, stop = drawn(studio, "chat", "draw", 1)
    assert stop["interactive"] == (state in ("queued", "starting", "running", "stalled"))
