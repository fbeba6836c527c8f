"""What a model is known to repair: from the file beside it, which may be anyone's, then from its benchmark run."""

from __future__ import annotations

import json

import pytest

from engine.assets import STARTER_ADAPTER
from engine.control.known_repairs import FILE, known_repairs, read


def test_the_shipped_adapter_says_what_it_repaired_and_these_bugs_exist(workspace):
    known = known_repairs(workspace.models, workspace.patches, "starter-adapter", "pocket")
    assert known
    assert {*known} <= {each.id for each in workspace.chats.bug_entries()}
    assert read(STARTER_ADAPTER)["pocket"] == known
    assert known_repairs(workspace.models, workspace.patches, "starter", "pocket") == {}
    assert known_repairs(workspace.models, workspace.patches, "there is none", "pocket") == {}


@pytest.mark.parametrize(
    "text",
    ["", "[]", "7", '{"pocket": 3}', '{"pocket": {"a": "b"}}', "[" * 50_000, json.dumps({"p": {"x" * 2**21: 1}})],
)
def test_a_file_that_is_not_ours_says_nothing(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    assert read(tmp_path) == {}


def test_a_run_adds_to_what_was_shipped(workspace, monkeypatch):
    monkeypatch.setattr(workspace.patches, "repaired_by", lambda *_: {"pocket/a": 1, "pocket/py-stock-check": 3})
    known = known_repairs(workspace.models, workspace.patches, "starter-adapter", "pocket")
    assert list(known.items()) == [("pocket/py-stock-check", 1), ("pocket/a", 1)]
