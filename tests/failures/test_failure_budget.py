"""How much of a failure is told: within the tokens that are allowed, the least important left out first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.failures.budget import fitting, most_tokens
from engine.failures.telling import KINDS, Part

PARTS = [
    Part("test_sum: expected 7, got 3", "headline"),
    Part("  test_sum.py line 4: assert add(3, 4) == 7", "line"),
    Part("  caused by ValueError", "cause"),
    Part("  in add, line 2: return a - b", "place"),
    Part("  in outer, line 9: return add(a, b)", "stack"),
    Part("the test:\ndef test_sum(): ...", "source"),
    Part("test_more: expected 1, got 2", "other tests"),
    Part("  test_sum.py line 8: assert add(0, 1) == 1", "details of other tests"),
]
WHOLE = "\n".join(part.text for part in PARTS)


def test_all_is_told_where_it_fits():
    assert fitting(PARTS, most_tokens(WHOLE), most_tokens) == WHOLE


def test_what_is_least_important_is_left_out_first():
    left_out = []
    for tokens in range(most_tokens(WHOLE), 0, -1):
        text = fitting(PARTS, tokens, most_tokens)
        left_out += [part.kind for part in PARTS if part.text not in text and part.kind not in left_out]
    assert left_out == [*reversed(KINDS)]


@given(st.integers(1, 400), st.sampled_from([len, most_tokens, lambda text: len(text.split())]))
def test_never_more_than_the_tokens_that_are_allowed(tokens, count):
    assert count(fitting(PARTS, tokens, count)) <= tokens


def test_of_a_headline_that_is_too_long_the_beginning_is_told():
    assert fitting(PARTS, 8, most_tokens) == "test_sum"


def test_a_text_of_any_language_has_no_more_tokens_than_the_bound():
    tokenizers = pytest.importorskip("tokenizers")
    from engine.assets import STARTER_MODEL

    tokenizer = tokenizers.Tokenizer.from_file(str(STARTER_MODEL / "tokenizer.json"))
    for text in (WHOLE, "修复这个函数 ✓", "xqzj 0x1f\t\n\n", "\u202e"):
        assert len(tokenizer.encode(text).ids) <= most_tokens(text)
