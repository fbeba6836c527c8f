"""Conversations: stopped, changed within, named, deleted, and shown beside one another."""

from __future__ import annotations

import pytest
from talks import BUG, answer, spec

from engine.errors import UserError
from engine.rundir import ENDED
from storage import queries


def test_a_stopped_answer_leaves_the_model_loaded(workspace, talk):
    conversation, folder = talk
    workspace.chats.halt(conversation)
    assert folder.questions()[0][-1] == {"ask": "halt", "conversation": conversation, "question": 1}
    folder.append("answered", conversation=conversation, question=1)
    workspace.tick()
    workspace.chats.halt(conversation)
    assert len(folder.questions()[0]) == 2, "nothing is written any more"
    workspace.chats.send(conversation, "go on")
    assert workspace.chats.view(conversation).state not in ENDED


def test_model_and_settings_change_within_a_conversation(workspace, talk):
    conversation, folder = talk
    answer(folder, conversation, 1, "first")
    folder.append("answered", conversation=conversation, question=1)
    workspace.tick()
    workspace.chats.send(conversation, spec=spec("model=starter", "strategy=single_shot", "bug=pocket/py-backoff"))
    question = folder.questions()[0][-1]
    assert (question["model"], question["bug"]) == ("starter", BUG), "what it is about stays"
    assert question["settings"] == {"strategy": {"name": "single_shot"}}
    view = workspace.chats.view(conversation)
    assert (view.model, view.strategy) == ("starter", "single_shot")
    folder.append("answered", conversation=conversation, question=2)
    workspace.tick()
    workspace.chats.send(conversation)
    assert folder.questions()[0][-1]["model"] == "starter", "it goes on as it was last asked"


def test_a_question_carries_its_budget_and_needs_no_other_worker(workspace, talk):
    conversation, folder = talk
    folder.append("answered", conversation=conversation, question=1)
    workspace.tick()
    limits = ("budget_tokens=2000", "budget_seconds=60", "budget_money=0.5")
    workspace.chats.send(conversation, spec=spec(f"bug={BUG}", *limits))
    question = folder.questions()[0][-1]
    assert question["settings"] == {"budget_tokens": 2000, "budget_seconds": 60.0, "budget_money": 0.5}
    assert workspace.chats.spec(conversation).budget_tokens == 2000


def test_a_conversation_stays_repaired_whatever_is_tried_after(workspace, talk):
    conversation, folder = talk
    answer(folder, conversation, 1, "first", {"outcome": "plausible"})
    answer(folder, conversation, 2, "second", {"outcome": "test_failed"})
    workspace.tick()
    assert workspace.chats.view(conversation).outcome == "plausible"


def test_conversations_are_named_found_and_deleted(workspace, talk):
    conversation, folder = talk
    workspace.chats.rename(conversation, "  the  midnight bug ")
    other = workspace.chats.start(spec("bug=pocket/py-backoff"))
    assert [entry.id for entry in workspace.chats.entries("midnight")] == [conversation]
    assert [entry.id for entry in workspace.chats.entries("PY-BACKOFF")] == [other]
    with pytest.raises(UserError, match="stop the answer first"):
        workspace.chats.delete(conversation)
    answer(folder, conversation, 1, "first")
    answer(folder, conversation, 2, "second")
    folder.append("answered", conversation=conversation, question=1)
    workspace.tick()
    workspace.chats.delete(conversation)
    assert [entry.id for entry in workspace.chats.entries()] == [other]
    with pytest.raises(UserError, match=f"no conversation {conversation}"):
        workspace.chats.view(conversation)
    answer(folder, conversation, 3, "said after it was deleted")
    workspace.tick()
    with workspace._database.read() as session:
        assert queries.tree(session, conversation) == []


def test_two_conversations_are_shown_beside_each_other(workspace, talk):
    other = workspace.chats.start(spec("model=starter"), beside=talk[0])
    assert (workspace.chats.beside(talk[0]), workspace.chats.beside(other)) == (other, talk[0])
    workspace.chats.delete(other)
    assert workspace.chats.beside(talk[0]) is None
