"""A question that its worker left open: the message is kept, and goes on with the next question."""

from __future__ import annotations

import pytest
from talks import answer, folder_of, spec

from engine.control.loaded import UNLOADED
from engine.work.desk import Desk

SENT = "look at midnight"


def user_says(folder, conversation, number, text):
    folder.append("turn", conversation=conversation, number=number, role="user", text=text)


@pytest.fixture
def unloaded(workspace, talk):
    """A conversation whose model was unloaded while it was loading."""
    conversation, folder = talk
    workspace.chats.unload(conversation)
    folder.append("state", state="stopped")
    workspace.tick()
    return conversation


def test_a_message_that_was_never_said_is_shown_and_goes_before_the_next(workspace, unloaded):
    view = workspace.chats.view(unloaded)
    assert (view.is_busy, view.waiting, "press Repair" in view.error) == (False, SENT, True)
    workspace.chats.send(unloaded, "and at noon")
    assert folder_of(workspace, unloaded).questions()[0][0]["message"] == f"{SENT}\n\nand at noon"
    assert workspace.chats.view(unloaded).waiting == f"{SENT}\n\nand at noon"


@pytest.mark.parametrize("again", ["", SENT])
def test_it_is_said_once_also_where_it_is_sent_again(workspace, unloaded, again):
    workspace.chats.send(unloaded, again)
    workspace.tick()
    folder = folder_of(workspace, unloaded)
    assert folder.questions()[0][0]["message"] == SENT
    user_says(folder, unloaded, 1, SENT)
    folder.append("state", state="failed", error="killed")
    workspace.tick()
    view = workspace.chats.view(unloaded)
    assert ([turn.text for turn in view.turns], view.waiting) == ([SENT], "")
    workspace.chats.send(unloaded)
    assert folder_of(workspace, unloaded).questions()[0][0]["message"] == "", "the worker has said it"


def test_it_follows_the_turn_after_which_it_was_sent(workspace, talk):
    conversation, folder = talk
    answer(folder, conversation, 1, "first")
    answer(folder, conversation, 2, "second")
    folder.append("answered", conversation=conversation, question=1)
    workspace.tick()
    workspace.chats.send(conversation, "another way", after=1)
    folder.append("state", state="failed", error="killed")
    workspace.tick()
    workspace.chats.send(conversation)
    question = folder_of(workspace, conversation).questions()[0][0]
    assert (question["message"], question["after"]) == ("another way", 1)


def test_stop_while_the_model_loads_hides_no_message(workspace, talk):
    conversation, folder = talk
    workspace.chats.halt(conversation)
    folder.ask(ask="stop")
    view = workspace.chats.view(conversation)
    assert (view.is_busy, view.waiting) == (True, SENT)


def test_a_folder_that_cannot_be_read_is_no_obstacle(workspace, unloaded):
    (folder_of(workspace, unloaded).path / "inbox.jsonl").write_text("{\n")
    assert workspace.chats.view(unloaded).waiting == ""
    workspace.chats.send(unloaded, "and at noon")
    assert folder_of(workspace, unloaded).questions()[0][0]["message"] == "and at noon"


def test_a_worker_that_is_resumed_does_not_answer_what_went_on_elsewhere(workspace, talk):
    conversation, folder = talk
    run_id = workspace.chats.get(conversation).run_id
    answer(folder, conversation, 1, "one")
    folder.append("state", state="failed", error="killed")
    workspace.tick()
    workspace.chats.send(conversation)
    assert folder.questions()[0][-1] == {"ask": "halt", "conversation": conversation, "question": 1}
    workspace.tick()
    other = folder_of(workspace, conversation)
    answer(other, conversation, 2, "two, elsewhere")
    other.append("answered", conversation=conversation, question=2)
    other.append("state", state="done", result={})
    workspace.tick()
    workspace.runs.resume(run_id)
    workspace.tick()
    answer(folder, conversation, 2, "two, which nobody saw")
    workspace.tick()
    workspace.chats.send(conversation, "a hint")
    assert workspace.chats.get(conversation).run_id == run_id
    desk = Desk(folder)
    (question,) = desk.look()
    assert (question.number, question.message) == (3, "a hint")
    shown = [turn.text for turn in workspace.chats.view(conversation).turns]
    assert [turn.text for turn in desk.conversation(question).path] == shown == ["one", "two, elsewhere"]


def test_what_an_ending_worker_has_said_is_stored_before_its_conversation_leaves(workspace, talk):
    conversation, folder = talk
    folder.append("state", state="running")
    workspace.tick()
    workspace.chats.unload(conversation)
    user_says(folder, conversation, 1, SENT)
    answer(folder, conversation, 2, "tested before the stop was noticed")
    workspace.chats.send(conversation)
    workspace.tick()
    other = folder_of(workspace, conversation)
    (question,), _ = other.questions()
    assert [turn["text"] for turn in other.history(question["history"])] == [SENT, "tested before the stop was noticed"]
    assert (question["message"], question["before"]) == ("", 2)


def test_the_model_that_a_conversation_leaves_is_unloaded_unless_another_one_uses_it(workspace, talk):
    conversation, folder = talk
    first = workspace.chats.get(conversation).run_id
    other = workspace.chats.start(spec())

    def goes_on_with(bits):
        asked = workspace.chats.get(conversation).asked
        folder_of(workspace, conversation).append("answered", conversation=conversation, question=asked)
        workspace.tick()
        workspace.chats.send(conversation, spec=spec(f"generator.base_bits={bits}"))
        workspace.tick()
        return workspace.chats.get(conversation).run_id

    second = goes_on_with(8)
    assert workspace.chats.view(other).state not in UNLOADED, "the other conversation is still with it"
    third = goes_on_with(4)
    states = {run.id: run.state for run in workspace.runs.list(kind="chat")}
    assert states[second] == "stopping"
    assert not {states[first], states[third]} & {*UNLOADED}
