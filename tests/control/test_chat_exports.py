"""Conversations are written as files, also by several at once."""

from __future__ import annotations

from pathlib import Path

from engine.control import chat_exports


def test_no_two_exports_are_written_into_one_unfinished_file(workspace, talk, monkeypatch):
    conversation, _ = talk
    unfinished, replace = [], Path.replace
    monkeypatch.setattr(chat_exports.Path, "replace", lambda part, to: (unfinished.append(part), replace(part, to))[1])
    for form in ("markdown", "json", "json"):
        path = workspace.chat_exports.write(conversation, form)
        assert path.read_text(encoding="utf-8") == workspace.chat_exports.text(conversation, form)
    assert len({*unfinished}) == 3
    assert sorted(each.name for each in path.parent.iterdir()) == [
        f"conversation-{conversation}.json",
        f"conversation-{conversation}.md",
    ]
