"""A conversation as Markdown, in which no text of a model is read as Markdown, and as JSON with all branches."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from engine.domain import Outcome
from engine.events import TurnEvent, VerdictFields
from engine.exchange.dialogue import Dialogue, as_json, as_markdown
from engine.strategies.messages import STUCK

HOSTILE = "```\n# not a heading\n<script>alert(1)</script>\n````"
FAILED = VerdictFields(Outcome.TEST_FAILED, log="E   assert 1 == 2")


@pytest.fixture
def dialogue():
    turns = [
        TurnEvent(1, 1, "user", "use addition", parent=0),
        TurnEvent(1, 2, "assistant", HOSTILE, "a + b\n", verdict=FAILED, parent=1),
        TurnEvent(1, 3, "assistant", "another", "a + c\n", parent=1),
        TurnEvent(1, 4, "assistant", "", None, "no code\nin it", parent=2),
    ]
    return Dialogue("*mine*", "pocket/py-`x`", {"name": "pocket"}, "starter", {}, 1.0, turns, [1, 2, 4])


def test_markdown_has_the_shown_branch_and_fences_that_hold(dialogue):
    text = as_markdown(dialogue, {})
    assert text.startswith("# \\*mine\\*\n\nBug `` pocket/py-`x` ``, model `starter`\n")
    assert f"`````\n{HOSTILE}\n`````" in text
    assert "## 2. Model: test failed" in text
    assert "E   assert 1 == 2" in text
    assert "another" not in text
    outside = text.replace(HOSTILE, "")
    assert "<script>" not in outside
    assert "# not a heading" not in outside


def test_a_patch_is_shown_as_its_diff(dialogue):
    text = as_markdown(dialogue, {2: "--- a\n+++ b\n"})
    assert "```diff\n--- a\n+++ b\n```" in text
    assert HOSTILE not in text


def test_json_has_all_branches(dialogue):
    values = json.loads(as_json(dialogue))
    assert values["format"] == "repair-studio conversation 1"
    assert [(turn["number"], turn["parent"]) for turn in values["turns"]] == [(1, 0), (2, 1), (3, 1), (4, 2)]
    assert values["turns"][1]["verdict"]["outcome"] == "test_failed"


def test_each_answer_names_its_model_where_several_wrote(dialogue):
    turns = [replace(turn, model="starter") for turn in dialogue.turns]
    assert "## 2. Model: test failed" in as_markdown(replace(dialogue, turns=turns), {}), "one wrote all of them"
    turns[-1] = replace(turns[-1], model="my-`adapter`")
    text = as_markdown(replace(dialogue, turns=turns), {})
    assert "models `starter`, `` my-`adapter` ``\n" in text
    assert "## 1. You\n" in text
    assert "## 2. Model `starter`: test failed" in text
    assert "## 4. Model `` my-`adapter` ``\n" in text


def test_what_the_studio_says_to_people_is_no_test_result(dialogue):
    turns = [TurnEvent(1, 1, "tool", STUCK, parent=0), TurnEvent(1, 2, "tool", "tried: x", parent=1)]
    text = as_markdown(replace(dialogue, turns=turns), {})
    assert ("## 1. Studio\n" in text, "## 2. Test results\n" in text) == (True, True)
