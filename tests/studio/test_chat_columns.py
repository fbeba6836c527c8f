"""The handlers of the Chat page: branches, another model mid-way, two columns, and many users at once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest

from engine.control.workspace import Workspace
from engine.rundir import RunDir
from engine.spec_files import read_spec
from studio.app import create_app

BUG = "pocket/py-clock-format"
FAILED = {"outcome": "test_failed", "log": "E   assert 1 == 2", "failed": ["test_midnight"]}


class Page:
    """The Chat page of one workspace, whose workers are the test: nothing starts them."""

    def __init__(self, workspace):
        self.workspace = workspace
        self.blocks = create_app(workspace).blocks
        form = read_spec("chat", "demo", [f"bug={BUG}"])
        says = self._function("chat_say")
        self.settings = [self._value(part, form) for part in says.inputs[7:]]

    def _function(self, name):
        return next(each for each in self.blocks.fns.values() if each.api_name == name)

    def _value(self, part, form):
        return {"Model": form.model, "Bug": form.bug}.get(part.label, part.value)

    def say(self, text, opened=(0, 0, 0, 0), how="", budget="2"):
        return self._function("chat_say").fn(*opened, how, text, budget, *self.settings)

    def act(self, asked, opened, how="", column="first", place="in"):
        event = gr.EventData(None, {"value": asked if isinstance(asked, str) else json.dumps(asked)})
        return self._function(f"chat_{place}_{column}").fn(event, *opened, how, "2", *self.settings)

    def folder(self, conversation):
        self.workspace.tick()
        return RunDir(Path(self.workspace.runs.row(self.workspace.chats.get(conversation).run_id).folder))

    def questions(self, conversation):
        lines = self.folder(conversation).questions()[0]
        return [each for each in lines if each["conversation"] == conversation and each["ask"] == "reply"]

    def answer(self, conversation, *turns):
        """As the worker says them."""
        for number, (role, text) in enumerate(turns, 1):
            more = {"patch": f"{text}\n", "verdict": FAILED} if role == "assistant" else {}
            self.folder(conversation).append(
                "turn", conversation=conversation, number=number, role=role, text=text, **more
            )
        question = self.questions(conversation)[-1]["question"]
        self.folder(conversation).append("answered", conversation=conversation, question=question)
        self.workspace.tick()


@pytest.fixture
def page(home, monkeypatch):
    mute = SimpleNamespace(
        check=lambda spec: None, room=lambda: {"machine": 9}, needs=lambda: {"machine": 0}, submit=lambda *_: "mute",
        find=lambda _: "", is_alive=lambda _: True, interruption=lambda _: "", stop=lambda *_, **__: None, name="mute",
    )  # fmt: skip
    monkeypatch.setattr("engine.plugins.LAUNCHERS.create", lambda params: mute)
    workspace = Workspace(home)
    yield Page(workspace)
    workspace.close()


@pytest.fixture
def open_one(page):
    """A conversation with a hint, an attempt, what was told of it, and another attempt."""
    *opened, message = page.say("look at midnight")
    assert message == ""
    turns = [("user", "look at midnight"), ("assistant", "a"), ("tool", "tried: a\ntest: no"), ("assistant", "b")]
    page.answer(opened[0], *turns)
    return opened


def test_a_hint_is_sent_again_from_the_turn_before_it(page, open_one):
    opened = page.act({"do": "hint", "turn": "1", "text": "look at noon"}, open_one)
    assert opened[:2] == [open_one[0], 0]
    question = page.questions(open_one[0])[-1]
    assert (question["message"], question["after"], question["budget"]) == ("look at noon", 0, 2)


def test_an_answer_is_asked_for_again_from_the_turn_before_it(page, open_one):
    page.act("again:4", open_one)
    question = page.questions(open_one[0])[-1]
    assert (question["message"], question["after"], question["budget"]) == ("", 3, 1)


def test_a_message_follows_the_turn_to_which_the_branch_is_shown(page, open_one):
    opened = page.act("to:2", open_one)[:4]
    assert opened == [open_one[0], 2, 0, 0]
    assert page.say("another way", opened)[:2] == [open_one[0], 0], "the branch that it makes is shown"
    assert page.questions(open_one[0])[-1]["after"] == 2


@pytest.mark.parametrize("asked", ["again:9", {"do": "hint", "turn": "7", "text": "x"}])
def test_a_turn_that_is_not_there_is_refused(page, open_one, asked):
    with pytest.raises(gr.Error, match="no message number"):
        page.act(asked, open_one)


@pytest.mark.parametrize("asked", ["", "{", "nothing:3", "{}", '{"do": 3}', "close"])
def test_what_no_page_of_ours_sends_does_nothing(page, open_one, asked):
    assert page.act(asked, open_one)[:2] == open_one[:2]
    assert len(page.questions(open_one[0])) == 1


def test_another_model_goes_on_with_the_same_conversation_and_its_turns_say_so(page, open_one):
    page.settings[0] = "starter"
    opened = page.say("go on", open_one)
    assert opened[0] == open_one[0]
    assert page.workspace.chats.get(open_one[0]).model == "starter"
    folder = page.folder(open_one[0])
    folder.append("turn", conversation=open_one[0], number=5, role="assistant", text="c", patch="c\n", verdict=FAILED)
    page.workspace.tick()
    models = [turn.model for turn in page.workspace.chats.view(open_one[0]).turns if turn.role == "assistant"]
    assert models == ["starter-adapter", "starter-adapter", "starter"]


def test_two_models_are_asked_together_each_by_its_own_name(page, open_one):
    opened = page.act("add:starter", open_one, place="about")[:4]
    first, _, second, _ = opened
    assert page.workspace.chats.beside(first) == second
    assert page.workspace.chats.get(second).model == "starter"
    page.say("both of you", opened)
    for each in (first, second):
        assert page.questions(each)[-1]["message"] == "both of you"
    assert [page.workspace.chats.get(each).model for each in (first, second)] == ["starter-adapter", "starter"]
    with pytest.raises(gr.Error, match="still answering"):
        page.say("once more", opened)


def test_the_second_model_is_exchanged_and_goes_on_with_its_turns(page, open_one):
    opened = page.act("add:starter", open_one, place="about")[:4]
    told = {"do": "choose", "turn": "0", "model": "starter-adapter", "form": "ir4_or2"}
    *same, how = page.act(told, opened, column="second", place="about")
    assert same == opened
    page.say("go on", opened, how=how)
    assert page.workspace.chats.get(opened[2]).model == "starter-adapter"
    assert page.act("close:", opened, column="second", place="about")[:4] == [opened[0], 0, 0, 0]


@pytest.mark.parametrize("budget", ["100", "0", "-1", "many"])
def test_a_budget_that_is_refused_leaves_no_empty_conversation(page, budget):
    with pytest.raises(gr.Error, match="1 to 50"):
        page.say("look at midnight", budget=budget)
    assert page.workspace.chats.entries() == []


def test_a_name_is_given_and_a_conversation_deleted(page, open_one):
    page.act({"do": "rename", "turn": "0", "text": "The clock"}, open_one, place="about")
    assert [each.title for each in page.workspace.chats.entries("clock")] == ["The clock"]
    assert page.act("delete:", open_one, place="about")[:4] == [0, 0, 0, 0]
    assert page.workspace.chats.entries() == []


def test_twenty_users_at_once_each_get_their_own_answer(page):
    """One worker holds the model for all of them; that it answers in turn is tested with the worker."""

    def use(number):
        first = page.say(f"hint of user {number}")
        return number, first[0]

    with ThreadPoolExecutor(20) as pool:
        users = list(pool.map(use, range(20)))
    assert len({conversation for _, conversation in users}) == 20
    assert len({page.workspace.chats.get(conversation).run_id for _, conversation in users}) <= 2
    for number, conversation in users:
        assert [each["message"] for each in page.questions(conversation)] == [f"hint of user {number}"]
    for number, conversation in users:
        page.folder(conversation).append("delta", conversation=conversation, text=f"draft {number}", restart=True)
    page.workspace.tick()
    for number, conversation in users:
        view = page.workspace.chats.view(conversation)
        assert (view.live_text, view.waiting) == (f"draft {number}", f"hint of user {number}")
        assert page.workspace.chats.saying(conversation).now().text == f"draft {number}"
