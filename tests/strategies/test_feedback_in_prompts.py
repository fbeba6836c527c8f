from __future__ import annotations

from dataclasses import replace

import pytest
from strategy_world import LOG, TESTED, TRIED, WRONG, World, attempt, replied, talked

from engine.domain import Message, Outcome, Patch, Turn, Verdict
from engine.errors import UserError
from engine.generators import PromptTooLong
from engine.plugins import REPRESENTATIONS
from engine.strategies.answer import answer
from engine.strategies.budget import Budget, Limits
from engine.strategies.contract import BUG
from engine.strategies.failure import Amount, brief, in_one_line, told
from engine.strategies.messages import SHORTENED, STUCK
from engine.strategies.test_feedback import TestFeedback


def talk(world, turns=(), budget=5, bug=BUG, **settings):
    strategy = TestFeedback(TestFeedback.Params(**settings))
    return replied(strategy, bug, turns, budget, world, world.complete, world.evaluate)


def test_what_the_page_shows_as_told_is_what_the_next_prompt_says():
    world = World("    return a * b\n", "    return b\n", BUG.fixed_lines)
    turns = talk(world, bug=TESTED)
    assert [turn.role for turn in turns] == ["assistant", "tool", "assistant", "tool", "assistant"]
    first, second = turns[1].text, turns[3].text
    assert world.prompts == ["", first, f"{brief(first)}\n{second}"]
    assert [turns[0].prompt, turns[2].prompt, turns[4].prompt] == world.prompts
    assert first.startswith(f"{TRIED}\n\n")
    assert "assert add(3, 4) == 7" in first


@pytest.mark.parametrize("name", ["ir4_or2", "ir3_or2", "ir2_or2", "ir1_or1", "instruct", "left_to_right"])
def test_the_text_is_in_the_prompt_line_by_line_whatever_the_representation(name):
    shown = REPRESENTATIONS.create(REPRESENTATIONS.params(name))
    world = World("    return a * b\n", BUG.fixed_lines)
    strategy = TestFeedback(TestFeedback.Params())
    prompts = []

    def complete(prompt):
        prompts.append("".join(each.text for each in prompt) if isinstance(prompt[0], Message) else prompt)
        return world.answers.pop(0)

    turns = replied(strategy, TESTED, (), 2, shown, complete, world.evaluate)
    text = next(turn.text for turn in turns if turn.role == "tool")
    marks = "- " if name == "instruct" else "# "
    lines = [line.strip().removeprefix(marks).removeprefix("#").strip() for line in prompts[1].split("\n")]
    said = [line.strip() for line in text.split("\n")]
    assert any(lines[at : at + len(said)] == said for at in range(len(lines))), prompts[1]


def test_the_users_words_become_a_hint():
    world = World(BUG.fixed_lines)
    turns = talk(world, [attempt("    return a * b\n"), Turn("user", "look at the\n sign")])
    assert world.prompts == [f"{turns[0].text}\nhint: look at the\n sign"]
    assert brief(turns[0].text) == TRIED


def test_a_message_to_the_user_is_told_to_no_model():
    world = World(BUG.fixed_lines)
    said = Turn("tool", "tried: return a * b\ntest: what was told")
    talk(world, [attempt("    return a * b\n"), said, Turn("tool", STUCK)])
    assert world.prompts == [said.text]


def test_an_attempt_of_another_strategy_is_told_in_brief():
    world = World(BUG.fixed_lines)
    turns = talk(world, [attempt("    return a * b\n"), attempt("    return b\n")])
    assert world.prompts == [f"{TRIED}\n{turns[0].text}"]
    assert brief(turns[0].text) == TRIED.replace("a * b", "b")


def test_an_answer_that_was_tried_is_drawn_again():
    world = World("    a\n", "    a\n", "    a \n", BUG.fixed_lines)
    turns = talk(world)
    assert [turn.text for turn in turns if turn.role == "assistant"] == ["    a\n", BUG.fixed_lines]


def test_a_model_that_only_repeats_itself_ends_the_reply():
    turns = talk(World(*["    a\n"] * 9), redraws=2)
    assert [turn.role for turn in turns] == ["assistant", "tool", "tool"]
    assert turns[-1].text == STUCK


def test_the_model_answers_as_often_as_the_budget_says():
    turns = talk(World(*[f"    {number}\n" for number in range(9)]), budget=3)
    assert sum(turn.role == "assistant" for turn in turns) == 3


def test_the_oldest_failure_is_left_out_first_and_a_hint_last():
    said = told(BUG, WRONG, attempt("    new\n").patch, "", Amount())
    world = World(BUG.fixed_lines, room=len(f"hint: mind the sign\n{said}"))
    turns = talk(
        world, [Turn("user", "mind the sign"), attempt("    old\n"), Turn("tool", "old"), attempt("    new\n")]
    )
    assert world.prompts == [f"hint: mind the sign\n{said}"]
    assert SHORTENED not in [turn.text for turn in turns]


def test_the_page_says_so_where_the_last_failure_is_shortened():
    world = World(BUG.fixed_lines, room=len(TRIED))
    turns = talk(world, [attempt("    return a * b\n")])
    assert world.prompts == [TRIED]
    assert [turn.role for turn in turns] == ["tool", "tool", "assistant"]
    assert turns[1].text == SHORTENED


def test_a_log_with_a_text_that_means_something_to_the_model_ends_no_conversation():
    hostile = Verdict(Outcome.TEST_FAILED, log=LOG.replace("-1 == 7", "'<odd>' == 7"), failed=("test_sum",))
    world = World("    return a * b\n", BUG.fixed_lines, verdict=hostile, special="<odd>")
    assert talk(world)[-1].verdict.is_plausible


def test_only_the_attempt_that_cannot_be_shown_is_left_out():
    odd = Verdict(Outcome.TEST_FAILED, log=LOG.replace("-1 == 7", "'<odd>' == 7"), failed=("test_sum",))
    tried = [attempt(f"    return a * {number}\n") for number in (1, 2, 3)]
    tried[1] = replace(tried[1], verdict=odd)
    world = World(BUG.fixed_lines, special="<odd>")
    talk(world, tried)
    assert "tried: return a * 1" in world.prompts[0]
    assert "tried: return a * 2" not in world.prompts[0]
    assert "tried: return a * 3" in world.prompts[0]


def test_a_long_hint_is_told_whole_and_one_over_the_budget_is_said_to_be_cut():
    hint = "\n".join(f"line {number} of what to look at" for number in range(15))
    world = World(BUG.fixed_lines)
    turns = talk(world, [Turn("user", hint)])
    assert world.prompts == [f"hint: {hint}"]
    assert [turn.role for turn in turns] == ["assistant"]
    world = World(BUG.fixed_lines)
    turns = talk(world, [Turn("user", hint)], tokens=40)
    assert world.prompts[0].startswith("hint: line 0 of what")
    assert turns[0].text == SHORTENED


def test_an_answer_that_was_begun_is_tested_though_the_budget_ends_with_it():
    world = World("    return a * b\n", "    return (\n")  # the second does not parse, and is drawn again
    budget = Budget(Limits(5, 2))
    complete = world.complete
    world.complete = lambda prompt: budget.took(1, 0) or complete(prompt)
    strategy = TestFeedback(TestFeedback.Params())
    turns = list(answer(strategy, BUG, talked(), budget, world, world.complete, world.evaluate))
    assert [turn.text for turn in turns if turn.is_attempt] == ["    return a * b\n", "    return (\n"]


def test_what_nobody_is_told_any_more_is_no_turn():
    world = World(*["    return a * b\n"] * 3)
    budget = Budget(Limits(5, 3))
    complete = world.complete
    world.complete = lambda prompt: budget.took(1, 0) or complete(prompt)
    strategy = TestFeedback(TestFeedback.Params(bare=3))
    turns = list(answer(strategy, BUG, talked(), budget, world, world.complete, world.evaluate))
    assert [turn.role for turn in turns] == ["assistant", "tool"]
    assert turns[-1].text.startswith("The budget of 3 tokens")


def test_each_bare_attempt_is_told_what_fails_where_that_is_asked_for():
    world = World("    return a * b\n", "    return b\n", BUG.fixed_lines)
    turns = talk(world, bug=TESTED, first_prompt=True, bare=3)
    assert world.prompts == [turns[0].text] * 3


def test_a_hint_that_cannot_be_shown_is_an_error():
    with pytest.raises(UserError, match="your message holds the special token <odd>, .*; send it in other words"):
        talk(World("x", special="<odd>"), [Turn("user", "use <odd>")])


def test_code_that_does_not_fit_at_all_is_an_error():
    world = World("x", room=-1)
    with pytest.raises(PromptTooLong):
        talk(world, [Turn("user", "a hint")])


def test_the_first_prompt_tells_which_tests_fail_where_that_is_asked_for():
    world = World(BUG.fixed_lines)
    turns = talk(world, bug=TESTED, first_prompt=True)
    assert [turn.role for turn in turns] == ["tool", "assistant"]
    assert world.prompts == [turns[0].text]
    assert turns[0].text.startswith("the code as it stands: test_sum: expected 7, got -1\n\n")


def test_no_tests_that_cannot_be_run_are_in_the_first_prompt():
    world = World(BUG.fixed_lines, verdict=Verdict(Outcome.NOT_RUN, "infra_error"))
    assert [turn.role for turn in talk(world, first_prompt=True)] == ["assistant"]


def test_the_settings_say_how_much_is_told():
    several = Verdict(Outcome.TEST_FAILED, log=LOG, failed=("test_sum", "test_zero"))
    patch = attempt("    return b\n").patch
    first = told(TESTED, several, patch, "", Amount())
    assert "test_sum: expected 7, got -1 (and 1 more)" in first
    assert "def test_sum" in first
    assert "def test_sum" not in told(TESTED, several, patch, "", Amount(with_source=False))
    assert "test_zero: failed" in told(TESTED, several, patch, "", Amount(all_tests=True))
    assert len(told(TESTED, several, patch, "", Amount(tokens=40)).partition("\n")[2]) <= 40
    assert told(TESTED, several, patch, "", Amount(tokens=4), count=lambda text: 1) == first


@pytest.mark.parametrize(
    ("patched", "shown"),
    [
        ("    return a * b\n", "tried: return a * b"),
        ("    c = a\n    return c + b\n", "tried:\n  c = a\n  return c + b"),
        (BUG.buggy_lines, "tried: (the code unchanged)"),
        ("", "tried: (lines deleted)"),
        ("".join(f"    {at}\n" for at in range(20)), "tried:\n  " + "\n  ".join("01234567") + "\n  (12 more lines)"),
    ],
)
def test_an_attempt_is_shown_by_the_lines_that_it_changes(patched, shown):
    text = told(BUG, WRONG, attempt(patched).patch, patched, Amount())
    assert text.startswith(f"{shown}\ntest_sum: ")


def test_an_answer_without_a_patch_is_shown_with_the_reason():
    verdict = Verdict(Outcome.NO_PATCH, "the answer does not hold the function `add`")
    text = told(BUG, verdict, Patch(BUG.id, None, verdict.reason), "I am\nsorry", Amount())
    assert text == "tried: I am; sorry\nno patch: the answer does not hold the function `add`"


@pytest.mark.parametrize(
    ("verdict", "line"),
    [
        (Verdict(Outcome.TIMEOUT), "the tests did not end in time"),
        (Verdict(Outcome.NO_PATCH, "no code in it"), "no patch: no code in it"),
        (Verdict(Outcome.NOT_RUN, "infra_error"), "the tests could not be run: infra_error"),
        (
            Verdict(Outcome.COMPILE_ERROR, log="A.java:3: error: ';' expected\n  int a\n"),
            "does not compile: line 3: ';' expected",
        ),
        (Verdict(Outcome.COMPILE_ERROR, log="error: no such file"), "does not compile: error: no such file"),
        (
            Verdict(
                Outcome.TEST_FAILED, log="adds: java.lang.AssertionError: expected:<1> but was:<2>", failed=("adds",)
            ),
            "adds: expected 1, got 2",
        ),
        (Verdict(Outcome.TEST_FAILED, log="java.lang.Error: odd"), "test: java.lang.Error: odd"),
        (Verdict(Outcome.TEST_FAILED, failed=("test_a",)), "test_a: failed"),
        (Verdict(Outcome.TEST_FAILED, "memory"), "test: memory"),
        (WRONG, "test_sum: expected 7, got -1"),
        (Verdict(Outcome.TEST_FAILED, log="Error " + "x" * 900), "test: Error " + "x" * 105 + "..."),
    ],
)
def test_a_failure_in_one_line(verdict, line):
    assert in_one_line(verdict) == line
