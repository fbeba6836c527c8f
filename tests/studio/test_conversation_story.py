"""What the story of a repair says: attempts, what failed, branches, a change of model; hostile and very long texts."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from engine.control.chat_views import View
from engine.control.turns import ShownTurn
from engine.strategies.messages import STUCK
from studio.columns import read_how
from studio.html import conversation
from studio.html.story import MOST_SHOWN, rule_in_words

BUGGY = "def f(a):\n    return a + 2\n"


def attempt(number, patch, outcome="test_failed", **more):
    reason = "" if patch else "the answer holds no code"
    return ShownTurn(number, "assistant", "x", patch is not None, "", outcome, reason, "log", patch=patch, **more)


def told(number, text):
    return ShownTurn(number, "tool", text, False, "", "", "", "")


def shown(*turns, **more):
    numbers = {turn.number: turn.number for turn in turns}
    newest = more.pop("leads_to", dict.fromkeys(numbers, max(numbers)))
    view = View(3, "pocket/b", "mine", "s", "", "running", "ready", False, "", turns, "", buggy=BUGGY, path="f.py",
                leads_to=newest, **more)  # fmt: skip
    return conversation.shown(view)


def words(html):
    return " ".join(re.sub("<[^>]*>", " ", html).split())


def test_each_patch_is_shown_against_the_one_before_and_a_failed_one_is_folded():
    said = "tried: return a + 1\ntest_f: expected 3, got 2\n\nmore"
    html = shown(
        attempt(1, "def f(a):\n    return a + 1\n", failure="test_f: expected 3, got 2"),
        told(2, said),
        attempt(3, "def f(a):\n    return a * 1\n", "plausible"),
    )
    first, second = re.findall(r"<details class=\"turn assistant.*?</footer></details>", html, re.DOTALL)
    assert " open>" not in first.partition("<summary>")[0]
    assert "test_f: expected 3, got 2" in words(first)
    assert " open>" in second.partition("<summary>")[0]
    assert "What it changes against attempt 1" in second
    assert "Repaired at attempt 2: every test passes." in words(html)
    assert "The whole patch against the buggy code" in html
    assert f"<pre>{said}</pre>" in html, "word for word"


def test_an_answer_without_code_says_why_and_how_a_patch_was_found():
    html = shown(attempt(1, None, "no_patch"), attempt(2, BUGGY.replace("2", "3"), rule="fence:function+imports"))
    assert "No usable code: the answer holds no code" in words(html)
    assert "taken from a fenced block, as the function, alone or among other code, with imports" in words(html)
    assert "Not repaired in 2 attempts" in words(html)
    assert rule_in_words("") == ""


@pytest.mark.parametrize("written", ["", "def <f"])
def test_an_answer_that_was_stopped_or_failed_is_no_attempt(written):
    stopped = ShownTurn(2, "assistant", written, False, "", "", "the service <x> failed", "", prompt="What?")
    html = shown(attempt(1, BUGGY.replace("2", "3")), stopped)
    assert "No answer the service &lt;x&gt; failed" in words(html)
    assert ("<pre>def &lt;f</pre>" in html) == bool(written)
    assert "Not repaired in 1 attempt." in words(html)
    assert "No usable code" not in html


def test_a_verdict_of_another_branch_is_said_to_be_one():
    failed, passed = attempt(1, BUGGY.replace("2", "3")), attempt(2, BUGGY.replace("2", "1"), "plausible")
    view = View(3, "pocket/b", "mine", "s", "plausible", "running", "ready", False, "", (failed,), "")
    assert "plausible on another branch" in words(conversation.strip(view))
    assert "another branch" not in words(conversation.strip(replace(view, turns=(failed, passed))))


def test_each_question_shows_the_end_of_the_story():
    first = shown(attempt(1, BUGGY), asked=1)
    assert 'data-follow="3:1"' in first
    assert 'data-follow="3:2"' in shown(attempt(1, BUGGY), asked=2)


def test_the_buggy_code_again_is_said_to_be_that():
    html = shown(attempt(1, BUGGY.replace("2", "3")), attempt(2, BUGGY))
    assert words(html).count("It is the buggy code again.") == 1


def test_what_the_model_takes_for_the_cause_is_no_attempt():
    cause = ShownTurn(1, "assistant", "It adds <2>.", False, "", "", "", "", prompt="What is wrong?")
    html = shown(cause, attempt(2, BUGGY.replace("2", "1"), "plausible"))
    first = html.partition("</footer>")[0]
    assert "What the model takes for the cause" in words(first)
    assert "It adds &lt;2&gt;." in first
    assert "What is wrong?" in first
    assert 'data-pick="again:1"' in first
    assert "Repaired at attempt 1" in words(html)


def test_where_branches_part_one_leads_to_the_newest_turn_of_the_next():
    turns = [attempt(3, BUGGY.replace("2", "3"))]
    html = shown(*turns, branches=((1, 3, 5),), leads_to={1: 4, 2: 4, 3: 3, 4: 4, 5: 6, 6: 6})
    assert "2 of 3" in words(html)
    assert re.findall(r'data-pick="(to:\d+)"', html) == ["to:4", "to:6"]


def test_an_earlier_turn_says_that_the_next_message_makes_a_branch():
    html = shown(attempt(1, BUGGY.replace("2", "3")), leads_to={1: 4, 4: 4})
    assert "Your next message follows here, as another branch." in words(html)
    assert 'data-pick="to:4"' in html


def test_from_where_on_another_model_or_temperature_answers_is_said():
    def settings(temperature):
        return {"generator": {"name": "sampling", "temperature": temperature}}

    html = shown(
        attempt(1, BUGGY.replace("2", "3"), model="a<b>", settings=settings(0.8)),
        attempt(2, BUGGY.replace("2", "4"), model="c", settings=settings(0.2)),
        attempt(3, BUGGY.replace("2", "5"), model="c", settings=settings(0.2)),
    )
    (said,) = re.findall(r'<p class="switch">(.*?)</p>', html)
    assert words(said) == "model a&lt;b&gt; → c , temperature 0.8 → 0.2"


@pytest.mark.parametrize("role", ["user", "assistant", "tool"])
def test_five_megabytes_with_scripts_are_text_and_are_cut(role):
    text = "<script>alert(1)</script>" * 200_000
    turn = ShownTurn(1, role, text, role == "assistant", "", "test_failed" if role == "assistant" else "", "", text,
                     prompt=text, patch=text if role == "assistant" else None, failure="x")  # fmt: skip
    html = shown(turn)
    assert "<script" not in html
    assert len(html) < 12 * MOST_SHOWN
    assert f"{len(text) - MOST_SHOWN:,} more characters are in the exported file" in html


def test_what_the_studio_says_to_people_is_no_word_to_the_model():
    assert "Told to the model" not in shown(attempt(1, BUGGY.replace("2", "3")), told(2, STUCK))


@pytest.mark.parametrize("text", ["", "[]", "7", "{", '{"model": 3}', "[" * 100_000])
def test_what_no_page_of_ours_sends_chooses_nothing(text):
    assert read_how(text).get("representation", "") == ""
