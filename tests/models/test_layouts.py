"""The layout is chosen by the tokens a tokenizer has, or refused with the names of those it lacks."""

from __future__ import annotations

import pytest

from engine.errors import UserError
from engine.models.layouts import LAYOUTS, layout_for


@pytest.mark.parametrize("name", list(LAYOUTS))
def test_the_layout_whose_tokens_are_there_is_found(name):
    vocabulary = frozenset({"a", "b", *LAYOUTS[name].tokens})
    assert layout_for(vocabulary) == name
    assert layout_for(vocabulary, name) == name


def test_missing_tokens_are_named():
    with pytest.raises(
        UserError, match=r"lacks the tokens.*qwen needs <\|fim_suffix\|>; starcoder needs <fim_prefix>"
    ) as error:
        layout_for(frozenset({"<|fim_prefix|>", "<|fim_middle|>"}))
    assert error.value.field == "representation.fim"


def test_a_layout_that_was_asked_for_is_not_replaced():
    with pytest.raises(UserError, match="codellama needs ▁<PRE> ▁<SUF> ▁<MID>"):
        layout_for(frozenset(LAYOUTS["qwen"].tokens), "codellama")


def test_an_answer_ends_at_the_first_special_token():
    assert LAYOUTS["qwen"].cut("a\n<|fim_pad|>b<|endoftext|>") == "a\n"
    assert LAYOUTS["codellama"].cut("a<|endoftext|>") == "a<|endoftext|>"
