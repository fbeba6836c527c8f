"""A service's own count of the tokens of a streamed answer."""

from __future__ import annotations

import pytest
from services import endpoint

from engine.domain import Message

CHAT = (Message("system", "You repair code."), Message("user", "def add(a, b): return a"))


@pytest.mark.parametrize("prompt", ["def add(a, b):", CHAT])
def test_the_tokens_of_a_streamed_answer_are_those_that_the_service_counted(url, prompt):
    asked = endpoint(url)
    assert asked.usage() == (None, None)
    text = "".join(asked.stream(prompt))
    read, written = asked.usage()
    assert text
    assert read > 3
    assert 1 <= written <= 8


def test_a_service_that_cannot_be_asked_for_tokens_answers_without_them(serve):
    asked = endpoint(serve("--no-usage"))
    assert all("".join(asked.stream("def add(a, b):")) for _ in range(2))
    assert asked.usage() == (None, None)
