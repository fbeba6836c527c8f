"""Excerpts: every representation shows them as a file, and reads patches of the whole file from the answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.builders import Funnel
from engine.builders.faults import FaultInjection
from engine.domain import Bug, Span, as_text, lines_of, span_of_change
from engine.plugins import REPRESENTATIONS
from engine.representations import CannotShow
from engine.representations.excerpt import Excerpt, longest_excerpt
from engine.task import Task

LONG = "def before():\n    pass\n\n" + "def f(a):\n" + "".join(f"    a += {n}\n" for n in range(100)) + "    return a\n"
LONG += "\ndef after():\n    pass\n"


def changed(buggy: str, old: str, new: str) -> Bug:
    fixed = buggy.replace(old, new)
    return Bug("b", "python", "b.py", buggy, fixed, span_of_change(buggy, fixed))


def words(prompt) -> int:
    return len(as_text(prompt).split())


def shown(name="ir4_or2", **settings):
    return REPRESENTATIONS.from_value({"name": name, **settings})


IN_THE_MIDDLE = changed(LONG, "a += 50\n", "a -= 50\n")


@pytest.mark.parametrize("room", [20, 40, 100])
def test_the_longest_excerpt_fits_and_one_line_more_on_each_side_does_not(room):
    found = longest_excerpt(IN_THE_MIDDLE, shown(), words, room)
    assert words(found.encode(IN_THE_MIDDLE).prompt) <= room
    more = Excerpt(shown(), Span(found.window.start - 1, found.window.end + 1))
    assert words(more.encode(IN_THE_MIDDLE).prompt) > room


def test_an_excerpt_of_a_long_function_is_the_lines_around_the_fault():
    found = longest_excerpt(IN_THE_MIDDLE, shown(), words, 22)
    assert found.encode(IN_THE_MIDDLE).prompt == (
        "<|fim_prefix|>    a += 48\n    a += 49\n    # buggy code\n#     a += 50\n<|fim_suffix|>"
        "    a += 51\n    a += 52\n<|fim_middle|>"
    )


def test_a_function_that_fits_is_shown_whole_with_what_is_around_it():
    bug = changed("x = 1\n" * 300 + "def f(a):\n    a += 1\n    return a\n" + "y = 1\n" * 300, "a += 1", "a += 2")
    found = longest_excerpt(bug, shown(context="file"), words, 60)
    prompt = found.encode(bug).prompt
    assert "x = 1\ndef f(a):\n" in prompt
    assert "    return a\ny = 1\n" in prompt
    assert 50 < words(prompt) <= 60


def test_a_span_that_is_too_long_alone_has_no_excerpt():
    assert longest_excerpt(IN_THE_MIDDLE, shown(), words, 5) is None


def test_a_task_is_asked_in_its_own_words_which_no_excerpt_shortens():
    asked = replace(IN_THE_MIDDLE, task=Task("word " * 100))
    assert longest_excerpt(asked, shown("left_to_right"), words, 50) is None


def test_the_patch_is_of_the_whole_file():
    found = longest_excerpt(IN_THE_MIDDLE, shown(), words, 20)
    assert found.decode("    a = 7", IN_THE_MIDDLE).text == LONG.replace("    a += 50\n", "    a = 7\n")


def test_an_unfinished_answer_is_cut_where_it_repeats_the_line_after_the_hole():
    found = longest_excerpt(IN_THE_MIDDLE, shown(), words, 20)
    assert found.trim("    a = 7\n    a += 51\n    a += 5", IN_THE_MIDDLE) == "    a = 7\n"


def test_an_answer_without_an_end_does_not_run_into_the_line_after_the_excerpt():
    alone = Excerpt(shown(), IN_THE_MIDDLE.span)
    assert alone.decode("    a = 7", IN_THE_MIDDLE).text == LONG.replace("    a += 50\n", "    a = 7\n")


def test_a_chat_answer_replaces_the_excerpt_where_the_function_is_too_long():
    found = longest_excerpt(IN_THE_MIDDLE, shown("instruct"), words, 80)
    part = "".join(lines_of(LONG)[found.window.start - 1 : found.window.end])
    answer = f"Here it is:\n```python\n{part.replace('a += 50', 'a -= 50')}```\n"
    assert found.decode(answer, IN_THE_MIDDLE).text == IN_THE_MIDDLE.fixed
    assert found.decode("I cannot.", IN_THE_MIDDLE).text is None


def test_a_file_of_windows_keeps_its_line_ends():
    bug = changed(LONG.replace("\n", "\r\n"), "a += 50\r\n", "a -= 50\r\n")
    found = longest_excerpt(bug, shown(), words, 20)
    assert "\r" not in found.encode(bug).prompt
    assert found.decode("    a -= 50\n", bug).text == bug.fixed


@pytest.mark.parametrize("name", REPRESENTATIONS.names())
def test_every_fix_comes_back_out_of_every_excerpt(name):
    bugs = list(FaultInjection(FaultInjection.Params(samples=40)).stream(3, Funnel()))
    bugs += [
        IN_THE_MIDDLE,
        changed(LONG, "    a += 50\n", ""),
        changed(LONG, "    a += 50\n", "    a += 50\n    a += 50\n"),
        changed(LONG + "z = 1", "z = 1", "z = 2"),
        changed(LONG, "def before", "import x\ndef before"),
    ]
    read = 0
    for bug in bugs:
        for more in (0, 1, 5):
            end = len(lines_of(bug.buggy))
            window = Span(max(1, bug.span.start - more), min(end, bug.span.end + more))
            excerpt = Excerpt(REPRESENTATIONS.from_value(name), window)
            try:
                sample = excerpt.encode(bug)
            except CannotShow:
                continue
            assert excerpt.decode(sample.target, bug).text == bug.fixed, (bug.id, more)
            read += 1
    assert read > 2 * len(bugs)
