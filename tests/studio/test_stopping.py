"""What can be stopped from a page."""

from __future__ import annotations

import pytest
from filled import fill

from engine.control.workspace import Workspace
from engine.rundir import ACTIVE, ENDED
from storage.database import Database
from storage.tables import Conversation, Run
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
    *_, stop = drawn(studio, "chat", "draw_buttons", 1, 0)
    assert stop["interactive"] == (state in ("queued", "starting", "running", "stalled"))
    assert (stop["value"], stop["variant"]) == ("Unload", "secondary"), "nothing is being answered"


def test_the_header_tells_a_model_that_loads_from_one_that_is_loaded(studio, home):
    change(home, CHAT, progress_text="loading the model")
    assert "1 model loading" in drawn(studio, "app", "draw_header")[0]
    change(home, CHAT, progress_text="ready")
    assert "1 model loaded" in drawn(studio, "app", "draw_header")[0]


def test_while_a_model_answers_it_can_be_stopped(studio, home):
    database = Database(home / "studio.db")
    with database.write() as session:
        session.get_one(Conversation, 1).asked = 1
    database.close()
    *_, stop = drawn(studio, "chat", "draw_buttons", 1, 0)
    assert (stop["value"], stop["variant"], stop["interactive"]) == ("Stop", "stop", True)
