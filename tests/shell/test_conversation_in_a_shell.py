"""A conversation is followed turn by turn, whichever numbers its turns have."""

from __future__ import annotations

from types import SimpleNamespace

from engine.control.turns import ShownTurn
from engine.shell import follow


def test_turns_of_a_branch_are_printed_once_each(capsys):
    turns = [ShownTurn(number, "tool", f"turn {number}", False, "", "", "", "") for number in (1, 4, 5)]
    views = [SimpleNamespace(turns=turns[:seen], live_text="", is_busy=seen < 3) for seen in (1, 2, 3, 3)]
    chats = SimpleNamespace(view=lambda _: views.pop(0))
    follow.conversation(SimpleNamespace(chats=chats, tick=lambda: None), 1, quiet=False)
    printed = capsys.readouterr().out
    assert [printed.count(f"turn {number}") for number in (1, 4, 5)] == [1, 1, 1]


def test_an_answer_that_is_printed_as_it_is_written_is_not_printed_again(capsys):
    answer = ShownTurn(1, "assistant", "return a + b", False, "", "plausible", "", "")
    seen = [([], "return", True), ([], "return a", True), ([answer], "", False), ([answer], "", False)]
    views = [SimpleNamespace(turns=turns, live_text=live, is_busy=busy) for turns, live, busy in seen]
    chats = SimpleNamespace(view=lambda _: views.pop(0))
    follow.conversation(SimpleNamespace(chats=chats, tick=lambda: None), 1, quiet=False)
    printed = capsys.readouterr().out
    assert printed.count("return") == printed.count("assistant") == printed.count("plausible") == 1
    assert "return a + b" in printed


def test_why_there_is_no_answer_is_printed_and_is_trouble(capsys):
    failed = ShownTurn(1, "assistant", "", False, "", "", "the service at http://x failed: 503", "")
    view = SimpleNamespace(turns=[failed], live_text="", is_busy=False, error="")
    chats = SimpleNamespace(view=lambda _: view)
    follow.conversation(SimpleNamespace(chats=chats, tick=lambda: None), 1, quiet=False)
    assert "the service at http://x failed: 503" in capsys.readouterr().out
    assert follow.trouble(view) == "the service at http://x failed: 503"
    no_code = ShownTurn(1, "assistant", "Sorry.", False, "", "no_patch", "the answer holds no code", "")
    assert follow.trouble(SimpleNamespace(turns=[no_code], error="")) == ""
    cause = ShownTurn(1, "assistant", "It subtracts.", False, "", "", "", "")
    assert follow.trouble(SimpleNamespace(turns=[cause], error="")) == ""
