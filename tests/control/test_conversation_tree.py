"""The turns of a conversation are a tree: a page shows one path of it, the worker gets all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import UserError
from engine.rundir import RunDir
from engine.spec_files import read_spec
from storage import queries


@pytest.fixture
def talk(workspace, mute):
    """A conversation that was asked for a repair, and its worker's folder."""
    conversation = workspace.chats.start(read_spec("chat", "demo", ["bug=pocket/py-clock-format"]))
    workspace.tick()
    workspace.chats.send(conversation, "look at midnight")
    return conversation, RunDir(Path(workspace.runs.row(workspace.chats.get(conversation).run_id).folder))


def test_turns_are_a_tree_of_which_a_page_shows_one_path(workspace, talk):
    conversation, folder = talk
    common = {"conversation": conversation, "text": "", "patch": "x\n", "verdict": {"outcome": "test_failed"}}
    folder.append("turn", number=1, role="user", **{**common, "text": "look", "patch": None, "verdict": None})
    folder.append("turn", number=2, role="assistant", **{**common, "text": "first"})
    folder.append("turn", number=3, role="assistant", **{**common, "text": "instead of it"}, parent=1)
    folder.append("turn", number=4, role="assistant", **{**common, "text": "after that"})
    workspace.tick()
    assert [turn.text for turn in workspace.chats.view(conversation).turns] == ["look", "instead of it", "after that"]
    with workspace._database.read() as session:
        made = {turn.run_id for turn in queries.path(session, conversation)}
        first = [turn.number for turn in queries.path(session, conversation, 2)]
    assert made == {workspace.chats.get(conversation).run_id}
    assert first == [1, 2]


def test_a_message_may_follow_an_earlier_one_and_the_worker_is_told_all_branches(workspace, talk):
    conversation, folder = talk
    for number, text in enumerate(("first", "second"), start=1):
        folder.append("turn", conversation=conversation, number=number, role="assistant", text=text, patch="x\n")
    folder.append("answered", conversation=conversation, question=1)
    workspace.tick()
    with pytest.raises(UserError, match="after: this conversation has no message number 3"):
        workspace.chats.send(conversation, "look", after=3)
    workspace.chats.send(conversation, "look", after=1)
    question = folder.questions()[0][-1]
    assert (question["after"], question["message"]) == (1, "look")


def test_an_answer_is_written_again_from_an_earlier_turn_or_from_the_start(workspace, talk):
    conversation, folder = talk
    folder.append("turn", conversation=conversation, number=1, role="assistant", text="first", patch="x\n")
    folder.append("turn", conversation=conversation, number=2, role="assistant", text="second", patch="x\n")
    folder.append("answered", conversation=conversation, question=1)
    workspace.tick()
    workspace.chats.send(conversation, after=0)
    assert folder.questions()[0][-1]["after"] == 0
    folder.append("turn", conversation=conversation, number=3, role="assistant", text="other", patch="x\n", parent=0)
    folder.append("answered", conversation=conversation, question=2)
    workspace.tick()
    view = workspace.chats.view(conversation)
    assert ([turn.text for turn in view.turns], view.branches) == (["other"], ((1, 3),))
    assert [turn.text for turn in workspace.chats.view(conversation, 2).turns] == ["first", "second"]
