"""Conversations in the forms of Firefly, ShareGPT and OpenAI, and what is none."""

from __future__ import annotations

import json

import pytest

from engine.builders import turns
from engine.builders.turns import messages_of
from engine.domain import Message

SAID = (Message("user", "Fix it."), Message("assistant", "Done."))
SHAREGPT = [{"from": "human", "value": "Fix it."}, {"from": "gpt", "value": "Done."}]
OPENAI = [{"role": "user", "content": "Fix it."}, {"role": "assistant", "content": "Done."}]


@pytest.mark.parametrize(
    "cell",
    [
        [{"human": "Fix it.", "assistant": "Done."}],
        SHAREGPT,
        OPENAI,
        [{"from": "human", "value": "Fix it.", "role": None}, {"from": "gpt", "value": "Done.", "content": None}],
        [{"role": "user", "content": [{"type": "text", "text": "Fix "}, {"type": "text", "text": "it."}]}, OPENAI[1]],
        {"from": ["human", "gpt"], "value": ["Fix it.", "Done."]},
        json.dumps(SHAREGPT),
        [*OPENAI, {"role": "user", "content": "Thanks."}],
    ],
)
def test_every_form_gives_the_same_messages_up_to_the_last_answer(cell):
    assert messages_of(cell) == SAID


def test_a_system_message_is_the_first_wherever_it_stands():
    system = Message("system", "Be brief.")
    assert messages_of(SHAREGPT, "Be brief.") == (system, *SAID)
    assert messages_of([{"role": "system", "content": "Be brief."}, *OPENAI]) == (system, *SAID)
    assert messages_of(SHAREGPT, " ") == messages_of(SHAREGPT, None) == SAID


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (None, turns.NO_TURNS),
        (3, turns.NO_TURNS),
        ("Fix it.", turns.NO_TURNS),
        ("[broken", turns.NO_TURNS),
        ("[" * 100_000, turns.NO_TURNS),
        ([], turns.NO_TURNS),
        ({}, turns.NO_TURNS),
        (["Fix it.", "Done."], turns.NO_TURNS),
        ([SHAREGPT], turns.NO_TURNS),
        ([{"question": "Fix it."}], turns.UNKNOWN_FORM),
        ([{"role": "user"}], turns.UNKNOWN_FORM),
        ([{}], turns.UNKNOWN_FORM),
        ([*OPENAI, {"role": "tool", "content": "x"}], turns.UNKNOWN_ROLE),
        ([{"role": 3, "content": "x"}], turns.UNKNOWN_ROLE),
        ([{"role": "user", "content": {"a": 1}}], turns.NOT_ONLY_TEXT),
        ([{"role": "user", "content": [{"type": "image_url"}]}], turns.NOT_ONLY_TEXT),
        ([{"from": "human", "value": 3}], turns.NOT_ONLY_TEXT),
        ([{"human": "", "assistant": "Done."}], turns.EMPTY_TURN),
        ([{"human": "Fix it.", "assistant": None}], turns.EMPTY_ANSWER),
        ([{"role": "user", "content": "x"}, {"role": "assistant", "content": " \n"}], turns.EMPTY_ANSWER),
        ([{"human": "Fix it."}], turns.NO_ANSWER),
        ([{"role": "system", "content": "x"}], turns.NO_ANSWER),
        (SHAREGPT[1:], turns.NOT_USERS),
        ([*OPENAI, {"role": "system", "content": "x"}, *OPENAI], turns.LATE_SYSTEM),
    ],
)
def test_what_cannot_be_learned_from_is_a_reason(cell, reason):
    assert messages_of(cell) == reason


def test_two_system_messages_or_one_that_is_no_text_are_reasons():
    assert messages_of([{"role": "system", "content": "x"}, *OPENAI], "y") == turns.LATE_SYSTEM
    assert messages_of(OPENAI, ["y"]) == turns.NOT_ONLY_TEXT
