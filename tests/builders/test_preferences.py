"""Preferences from texts and from conversations."""

from __future__ import annotations

import pytest
from small_tables import jsonl, lost, read

from engine.builders import turns
from engine.builders.preferences import OTHER_PROMPTS, SAME
from engine.domain import Message


def said(*texts):
    return [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(texts)]


ASKED = (Message("user", "ask"),)


@pytest.mark.parametrize(
    ("row", "settings", "prompt"),
    [
        ({"prompt": "ask", "chosen": "good", "rejected": "bad"}, {}, "ask"),
        ({"prompt": "ask", "chosen": "good", "rejected": "bad"}, {"form": "chat"}, ASKED),
        ({"prompt": "ask", "chosen": said("ask", "good"), "rejected": said("ask", "bad")}, {}, ASKED),
        ({"chosen": said("ask", "good"), "rejected": said("ask", "bad")}, {}, ASKED),
        ({"prompt": "ask", "chosen": said("", "good")[1:], "rejected": said("", "bad")[1:]}, {}, ASKED),
        ({"prompt": said("ask"), "chosen": said("", "good")[1:], "rejected": said("", "bad")[1:]}, {}, ASKED),
        ({"question": "ask", "chosen": "good", "rejected": "bad"}, {"prompt": "question"}, "ask"),
    ],
)
def test_a_row_is_a_prompt_with_two_answers(tmp_path, row, settings, prompt):
    ((made,), _) = read("preferences", jsonl(tmp_path / "a.jsonl", [row]), **settings)
    assert (made.prompt, made.chosen, made.rejected) == (prompt, "good", "bad")


def test_several_turns_before_the_answers_are_the_prompt(tmp_path):
    row = {"chosen": said("a", "b", "c", "good"), "rejected": said("a", "b", "c", "bad")}
    ((made,), _) = read("preferences", jsonl(tmp_path / "a.jsonl", [row]))
    assert made.prompt == (Message("user", "a"), Message("assistant", "b"), Message("user", "c"))


def test_what_is_no_preference_is_counted_with_its_reason(tmp_path):
    good, bad = said("ask", "good"), said("ask", "bad")
    rows = {
        SAME: {"prompt": "ask", "chosen": "good", "rejected": "good"},
        "empty": {"prompt": "ask", "chosen": "good", "rejected": None},
        OTHER_PROMPTS: {"chosen": good, "rejected": said("another", "bad")},
        turns.NO_TURNS: {"prompt": "ask", "chosen": "good", "rejected": bad},
        turns.NO_ANSWER: {"prompt": "ask", "chosen": good, "rejected": said("ask")},
        turns.EMPTY_ANSWER: {"chosen": good, "rejected": said("ask", "")},
        "not valid Unicode": {"prompt": "ask", "chosen": "a\ud800", "rejected": "b"},
    }
    assert lost("preferences", tmp_path, *rows.values()) == [*rows]
