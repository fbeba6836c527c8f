"""How much of a file and its context becomes a sample, and which tokens of it are learned."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.assets import STARTER_MODEL
from engine.builders.composing import Target
from engine.builders.composing.lengths import Lengths
from engine.builders.composing.samples import (
    NO_ROOM,
    TOO_LITTLE,
    Blocks,
    Budget,
    Texts,
    learned_from,
    placed,
    segments_of,
    texts_of,
)
from engine.models.tokenizer import tokenizer_of

LETTERS = Lengths(lambda text: range(1, len(text) + 1))  # each character is a token
TOKENS = Lengths(tokenizer_of(STARTER_MODEL).ends)
TARGET = Target("r", "a.py", "one\ntwo\n", LETTERS)  # "# r\n", 4 tokens; "# a.py\none\ntwo\n", 15


def made(most, context, *nearer, target=TARGET, blocks=None):
    return texts_of(target, iter(nearer), Budget.of(most, context), blocks)


@pytest.mark.parametrize("n", [0, 1, 3, 5, 6, 100])
def test_first_and_last_tokens(n):
    assert LETTERS.first("abcde", n) == "abcde"[:n]
    assert LETTERS.last("abcde", n) == "abcde"[max(0, 5 - n) :]


def test_none_of_the_last_tokens_are_none_and_not_all():
    """The trap `x[-0:]`."""
    assert LETTERS.last("abc", 0) == TOKENS.last("abc", 0) == LETTERS.first("abc", 0) == ""
    texts = Texts("# r\n", ("far",), "# a.py\nx\n")
    for loss in ("completion", "file", "everything"):
        assert not any(each.is_learned for each in segments_of(texts, loss, 0, LETTERS))


@given(st.text(max_size=200), st.integers(0, 80))
def test_tokens_of_a_model_are_cut_where_they_end(text, n):
    whole = TOKENS.count(text)
    first, last = TOKENS.first(text, n), TOKENS.last(text, n)
    assert text.startswith(first)
    assert text.endswith(last)
    if n >= whole:
        assert first == last == text
    assert TOKENS.first(text, 0) == TOKENS.last(text, 0) == ""


@pytest.mark.parametrize("n", [1, 7, 100])
def test_a_long_text_is_cut_as_a_short_one_is(n):
    text = "def f(a, b):\n    return a + b\n" * 200
    ends = tokenizer_of(STARTER_MODEL).ends(text)
    assert TOKENS.first(text, n) == text[: ends[n - 1]]
    assert TOKENS.last(text, n) == text[ends[-n - 1] :]


def test_words_are_counted_without_a_tokenizer():
    assert Lengths().count("def f(a):\n    return a\n") == 9, "the last line break is one"
    assert Lengths().last("def f(a):\n    return a\n", 2) == " a\n"


@pytest.mark.parametrize(
    ("most", "context", "expected"),
    [
        (100, 0.5, Budget(100, 50)),
        (100, 0, Budget(100, 0)),
        (100, 30, Budget(100, 30)),
        (100, 1, Budget(100, 1)),
        (100, 300, Budget(100, 100)),
    ],
)
def test_a_context_is_tokens_or_a_share(most, context, expected):
    assert Budget.of(most, context) == expected


def test_all_of_both_where_there_is_room():
    assert made(100, 10, "near", "far\n") == Texts("# r\n", ("far\nnear\n\n",), "# a.py\none\ntwo\n")


def test_the_file_is_cut_at_its_end_and_the_context_at_its_front():
    # 30 tokens, 15 for the context: 4 + 11 for the file's first ones
    assert made(30, 15, "0123456789", "far" * 100) == Texts("# r\n", ("far0123456789\n\n",), "# a.py\none\n")


def test_what_the_file_does_not_need_the_context_gets():
    texts = made(40, 10, "x" * 100)  # 40 - 4 - 15
    assert texts.context == ("x" * 19 + "\n\n",)


def test_no_more_of_the_context_is_read_than_fits():
    def nearer():
        yield "x" * 100
        raise AssertionError("it was read further")

    assert isinstance(texts_of(TARGET, nearer(), Budget.of(40, 10)), Texts)


def test_too_little_context_and_no_room_are_reasons():
    assert made(40, 20, "short") == TOO_LITTLE
    assert made(40, 7, "short").context == ("short\n\n",), "5 letters and the blank line are enough"
    assert made(40, 36, "x" * 100) == NO_ROOM
    assert made(10, 0) == NO_ROOM, "the path alone is nothing to learn"


@pytest.mark.parametrize("context", [300, 307, 310])
def test_there_is_enough_context_where_its_end_has_other_tokens_by_itself(context):
    """Of a run of quotes another number of tokens is made, depending on where its front is cut off."""
    target = Target("r", "a.c", "x = 1;\n" * 2000, TOKENS)
    texts = texts_of(target, iter(['# b.py\n""""\n', '"' * 5000 + "\n"]), Budget.of(1024, context))
    assert isinstance(texts, Texts)
    assert sum(map(TOKENS.count, texts.context)) >= context
    assert 1024 - 8 <= sum(map(TOKENS.count, texts.all)) <= 1024


def test_a_file_that_does_not_end_its_line_gets_an_end():
    target = Target("r", "a.py", "x", LETTERS)
    assert made(40, 0, target=target).completion == "# a.py\nx\n"


def test_split_keeps_the_nearest_whole_chunks_that_are_short_enough():
    chunks = ["near\n", "much too long", "b\n\n", "c\n", "d\n"]
    texts = made(60, 8, *chunks, blocks=Blocks(most=4, tokens=8))
    assert texts.context == ("c\n\n", "b\n\n", "near\n\n"), "three and the file"
    assert made(60, 12, *chunks, blocks=Blocks(2, 8)) == TOO_LITTLE


@pytest.mark.parametrize(
    ("loss", "ratio", "learned"),
    [
        ("completion", 1, "# a.py\nabc\n"),
        ("completion", 0.5, "y\nabc\n"),  # 5.5 of 11 are 6
        ("completion", 0.01, "\n"),  # rounded up: never none of them, and never all
        ("everything", 1, "# r\nfar# a.py\nabc\n"),
        ("everything", 13 / 18, "ar# a.py\nabc\n"),
    ],
)
def test_the_last_share_is_learned(loss, ratio, learned):
    texts = Texts("# r\n", ("far",), "# a.py\nabc\n")
    segments = segments_of(texts, loss, ratio, LETTERS)
    found = "".join(each.text for each in segments if each.is_learned)
    assert found == learned
    assert "".join(each.text for each in segments) == "".join(texts.all)
    assert all(each.text for each in segments)


@given(st.floats(0.001, 1), st.sampled_from(["completion", "everything"]))
def test_learned_is_the_end_of_the_text(ratio, loss):
    texts = Texts("# r\n", ("x = 1\n\n",), "# a.py\ndef f(a):\n    return a\n")
    segments = segments_of(texts, loss, ratio, TOKENS)
    flags = [each.is_learned for each in segments]
    assert flags == sorted(flags)
    assert flags[-1]
    assert "".join(each.text for each in segments) == "".join(texts.all)


def test_lines_are_counted_in_the_samples_text():
    texts = Texts("# r\n", ("x\ny\n\n",), "# a.py\none\ntwo\nthr")  # the last line was cut off
    lines = placed({"random": [0, 1], "infile": [2], "common": [9, -1]}, texts)
    whole = "".join(texts.all).split("\n")
    assert lines == {"random": [5, 6]}
    assert [whole[line] for line in lines["random"]] == ["one", "two"]


def test_the_first_line_that_is_all_learned():
    texts = Texts("# r\n", (), "# a.py\none\ntwo\n")
    for ratio, line in ((1, 1), (8 / 15, 2), (7 / 15, 3), (1 / 15, 4)):
        assert learned_from(segments_of(texts, "completion", ratio, LETTERS)) == line
