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
