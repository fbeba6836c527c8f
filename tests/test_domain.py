"""Bugs know their lines, whatever the line ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain import Bug, Message, Outcome, Sample, Segment, Span, Verdict, as_text, lines_of, span_of_change

TEXT = st.text(alphabet="ab\n\r\f\u2028 ", max_size=40)


def bug(buggy: str, fixed: str) -> Bug:
    return Bug("t/1", "python", "a.py", buggy, fixed, span_of_change(buggy, fixed))


@given(TEXT, TEXT)
def test_putting_the_fixed_lines_in_gives_the_fixed_file(buggy, fixed):
    if buggy == fixed:
        return
    made = bug(buggy, fixed)
    assert made.replace_span(made.fixed_lines) == fixed
    assert made.replace_span(made.buggy_lines) == buggy


def test_lines_split_at_newlines_only():
    assert lines_of("a\x0cb\r\nc\u2028d") == ["a\x0cb\r\n", "c\u2028d"]


def test_a_pure_insertion_is_an_empty_span():
    assert span_of_change("a\nc\n", "a\nb\nc\n") == Span(2, 1)


def test_equal_texts_have_no_span():
    with pytest.raises(ValueError, match="the same"):
        span_of_change("a", "a")


@pytest.mark.parametrize(("start", "end"), [(0, 1), (3, 1)])
def test_a_span_is_inside_a_file(start, end):
    with pytest.raises(ValueError, match="not a span"):
        Span(start, end)


def test_a_fix_outside_the_span_is_refused():
    with pytest.raises(ValueError, match="outside"):
        _ = Bug("t/1", "python", "a.py", "a\nb\n", "x\ny\n", Span(2, 2)).fixed_lines


def test_only_plausible_is_plausible():
    assert [o for o in Outcome if Verdict(o).is_plausible] == [Outcome.PLAUSIBLE]


def test_a_prompt_is_text_or_messages():
    one = bug("a", "b")
    chat = (Message("system", "Be brief."), Message("user", "Repair a."))
    assert Sample.of(one, "a", "b").prompt == "a"
    assert Sample.of(one, chat, "b").prompt == chat
    assert Sample.of(one, chat, "b").segments[-1] == Segment("b", True, "assistant")
    assert (as_text("a"), as_text(chat)) == ("a", "[system]\nBe brief.\n\n[user]\nRepair a.")


@pytest.mark.parametrize(
    ("segments", "said"),
    [
        ((Segment("a", role="user"), Segment("b", True)), "some segments are messages and some are not"),
        ((Segment("a", True, "user"),), "a message is learned that is not the assistant's"),
    ],
)
def test_a_sample_is_all_text_or_all_messages(segments, said):
    with pytest.raises(ValueError, match=f"t/1: {said}"):
        Sample("t/1", segments)
