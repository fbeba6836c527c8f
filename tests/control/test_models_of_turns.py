"""Which model wrote a turn: in exports, and after a worker's folder was taken in again."""

from __future__ import annotations

import json
import shutil

import pytest
from talks import FAILED, answer, folder_of, spec

from engine.control.workspace import Workspace


def said(workspace, folder, conversation, number, text, **more):
    folder.append(
        "turn", conversation=conversation, number=number, role="assistant", text=text, patch="x\n", verdict=FAILED, **more
    )  # fmt: skip
    asked = workspace.chats.get(conversation).asked
    folder.append("answered", conversation=conversation, question=asked)
    workspace.tick()


@pytest.fixture
def of_two(workspace, talk):
    """A conversation that one worker held first with the adapter, then with its base model, and again; its folder."""
    conversation, folder = talk
    said(workspace, folder, conversation, 1, "one")
    workspace.chats.send(conversation, spec=spec("model=starter", "generator.temperature=0.2"))
    said(workspace, folder, conversation, 2, "two")
    workspace.chats.send(conversation, spec=spec())
    said(workspace, folder, conversation, 3, "three")
    return conversation, folder


def models(workspace, conversation):
    return [turn.model for turn in workspace.chats.view(conversation).turns]


WROTE = ["starter-adapter", "starter", "starter-adapter"]


def test_an_export_says_which_model_wrote_each_turn(workspace, of_two):
    conversation, _ = of_two
    turns = json.loads(workspace.chat_exports.text(conversation, "json"))["turns"]
    assert [turn["model"] for turn in turns] == WROTE
    assert turns[1]["settings"]["generator"]["temperature"] == 0.2
    text = workspace.chat_exports.text(conversation, "markdown")
    assert "models `starter-adapter`, `starter`" in text
    assert "## 2. Model `starter`: test failed" in text


def test_a_folder_that_is_taken_in_says_it_too(workspace, of_two, tmp_path):
    conversation, folder = of_two
    folder.append("state", state="done", result={})
    workspace.tick()
    workspace.take_in(folder.path)
    assert models(workspace, conversation) == WROTE
    other = Workspace(tmp_path / "other")
    other.take_in(shutil.copytree(folder.path, tmp_path / "copied"))
    assert models(other, 1) == WROTE
    assert other.chats.view(1).turns[1].settings["generator"]["temperature"] == 0.2
    assert other.chats.get(1).model == "starter-adapter", "it goes on as it was last asked"
    other.close()


def test_an_event_may_say_it_itself(workspace, talk):
    said(workspace, talk[1], talk[0], 1, "one", model="another", settings={"strategy": {"name": "single_shot"}})
    assert models(workspace, talk[0]) == ["another"]


def test_a_conversation_with_branches_that_went_on_elsewhere_stays_one(workspace, talk, tmp_path):
    conversation, folder = talk
    answer(folder, conversation, 1, "one")
    folder.append("answered", conversation=conversation, question=1)
    workspace.tick()
    workspace.chats.send(conversation, after=0)
    said(workspace, folder, conversation, 2, "instead of it", parent=0)
    folder.append("state", state="stopped")
    workspace.tick()
    workspace.chats.send(conversation)
    workspace.tick()
    later = folder_of(workspace, conversation)
    said(workspace, later, conversation, 3, "three", parent=2)
    later.append("state", state="stopped")
    workspace.tick()
    other = Workspace(tmp_path / "other")
    for number, each in enumerate((folder, later)):
        other.take_in(shutil.copytree(each.path, tmp_path / str(number)))
    assert [(entry.id, entry.turns) for entry in other.chats.entries()] == [(1, 3)]
    other.close()
