"""A tokenizer tells after which character each of its tokens ends."""

from __future__ import annotations

import pytest

from engine.assets import STARTER_MODEL
from engine.errors import UserError
from engine.models.tokenizer import FromTransformers, tokenizer_of

TEXT = "def f(a):\n    return a  # größer 😀\n"


@pytest.mark.parametrize("make", [tokenizer_of, FromTransformers])
def test_ends_are_those_of_the_tokens(make):
    tokenizer = make(STARTER_MODEL)
    ends = tokenizer.ends(TEXT)
    assert len(ends) == len(tokenizer.encode([TEXT])[0])
    assert ends == sorted(ends)
    assert ends[-1] == len(TEXT)
    assert tokenizer.ends("") == []


def test_a_tokenizer_without_places_is_refused(monkeypatch):
    tokenizer = FromTransformers(STARTER_MODEL)
    monkeypatch.setattr(type(tokenizer._tokenizer), "is_fast", property(lambda self: False))
    with pytest.raises(UserError, match="choose another model"):
        tokenizer.ends("x")
