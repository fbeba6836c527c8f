from __future__ import annotations

import pytest

from engine.domain import Outcome, Patch, Sample, Turn, Verdict
from engine.generators import PromptTooLong
from engine.strategies.contract import BUG
from engine.strategies.failure import for_people, in_one_line
from engine.strategies.test_feedback import STUCK, TestFeedback, notes_of

WRONG = Verdict(Outcome.TEST_FAILED, log="F\n=====\nE   assert 3 == 7\n1 failed", failed=("test_sum",))


class World:
    """Answers one after the other; the tests fail unless the fix is given; prompts are the notes, line by line."""

    name = "world"

    def __init__(self, *answers, room=1000):
        self.answers = list(answers)
        self.room = room
        self.prompts = []

    def encode(self, bug, notes=()):
        return Sample.of(bug, "\n".join(notes), "")

    def decode(self, completion, bug):
        return Patch(bug.id, bug.replace_span(completion))

    def complete(self, prompt):
        if len(prompt) > self.room:
            raise PromptTooLong("too long")
        self.prompts.append(prompt)
        return self.answers.pop(0)

    def evaluate(self, bug, patch):
        return Verdict(Outcome.PLAUSIBLE) if patch.text == bug.fixed else WRONG


def talk(world, turns=(), budget=5, **settings):
    strategy = TestFeedback(TestFeedback.Params(**settings))
    return list(strategy.reply(BUG, turns, budget, world, world.complete, world.evaluate))


def test_earlier_answers_and_failures_are_in_the_next_prompt():
    world = World("    return a * b\n", BUG.fixed_lines)
    turns = talk(world)
    assert world.prompts == ["", "tried: return a * b\ntest: assert 3 == 7"]
    assert [turn.role for turn in turns] == ["assistant", "tool", "assistant"]
    assert "assert 3 == 7" in turns[1].text
    assert turns[-1].verdict.is_plausible


def test_the_users_words_become_a_hint():
    world = World(BUG.fixed_lines)
    failed = Turn("assistant", "    return a * b\n", Patch(BUG.id, "x"), WRONG)
    talk(world, [failed, Turn("user", "look at the\n sign")])
    assert world.prompts == ["tried: return a * b\ntest: assert 3 == 7\nhint: look at the; sign"]


def test_a_turn_of_the_studio_is_no_hint():
    failed = Turn("assistant", "    return a * b\n", Patch(BUG.id, "x"), WRONG)
    assert notes_of([failed, Turn("tool", for_people(WRONG)), Turn("tool", STUCK)]) == [
        "tried: return a * b", "test: assert 3 == 7",
    ]  # fmt: skip


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


def test_the_oldest_failure_is_forgotten_first_and_a_hint_last():
    world = World(BUG.fixed_lines, room=60)
    old, new = (Turn("assistant", text, Patch(BUG.id, "x"), WRONG) for text in ("old " * 10, "new"))
    talk(world, [Turn("user", "mind the sign"), old, new])
    assert world.prompts == ["hint: mind the sign\ntried: new\ntest: assert 3 == 7"]


def test_code_that_does_not_fit_at_all_is_an_error():
    world = World("x", room=-1)
    with pytest.raises(PromptTooLong):
        talk(world, [Turn("user", "a hint")])


@pytest.mark.parametrize(
    ("verdict", "line"),
    [
        (Verdict(Outcome.TIMEOUT), "the tests did not end in time"),
        (Verdict(Outcome.NO_PATCH, "no code in it"), "no patch: no code in it"),
        (
            Verdict(Outcome.COMPILE_ERROR, log="A.java:3: error: ';' expected\n  int a\n"),
            "does not compile: A.java:3: error: ';' expected",
        ),
        (
            Verdict(Outcome.TEST_FAILED, log="\tat org.junit.X\njava.lang.AssertionError: expected:<1>"),
            "test: java.lang.AssertionError: expected:<1>",
        ),
        (Verdict(Outcome.TEST_FAILED, failed=("test_a",)), "test: test_a"),
        (Verdict(Outcome.TEST_FAILED, "memory"), "test: memory"),
        (Verdict(Outcome.TEST_FAILED, log="E   " + "x" * 900), "test: " + "x" * 114),
    ],
)
def test_a_failure_in_one_line(verdict, line):
    assert in_one_line(verdict) == line
