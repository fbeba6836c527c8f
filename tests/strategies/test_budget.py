"""A budget ends an answer at each of its limits, whatever the strategy does, and says at which."""

from __future__ import annotations

import pytest
from strategy_world import World, talked

from engine.domain import Patch, Turn
from engine.strategies.answer import answer
from engine.strategies.budget import FREE, NOTHING, Budget, Limits, Prices, Spent
from engine.strategies.contract import BUG
from engine.strategies.messages import is_for_people
from engine.strategies.test_feedback import TestFeedback

WRONG = [f"    {number}\n" for number in range(50)]


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def said(limits, spent=NOTHING, prices=FREE, strategy=None, answers=WRONG):
    """The turns of an answer in which each completion reads 70 tokens, writes 30 and takes 10 seconds."""
    world, clock = World(*answers), Clock()
    budget = Budget(limits, spent, prices, clock)

    def complete(prompt):
        budget.took(70, 30)
        clock.now += 10
        return world.complete(prompt)

    strategy = strategy or TestFeedback(TestFeedback.Params())
    turns = list(answer(strategy, BUG, talked(), budget, world, complete, world.evaluate))
    return turns, sum(turn.is_attempt for turn in turns), budget


@pytest.mark.parametrize(
    ("limits", "attempts", "message"),
    [
        (Limits(50, tokens=350), 4, "The budget of 350 tokens is spent: 280 read and 120 written."),
        (Limits(50, tokens=400), 4, "The budget of 400 tokens is spent: 280 read and 120 written."),
        (Limits(50, tokens=1), 1, "The budget of 1 tokens is spent: 70 read and 30 written."),
        (Limits(50, seconds=25), 3, "The budget of 25 seconds is spent: 30.0 were used."),
        (Limits(50, money=0.0004), 3, "The budget of 0.0004 USD is spent: 0.00048 were used."),
    ],
)
def test_each_limit_ends_the_answer_and_is_named_with_its_value(limits, attempts, message):
    turns, made, _ = said(limits, prices=Prices(read=1.0, written=3.0, currency="USD"))
    assert made == attempts
    assert turns[-1].role == "tool"
    assert turns[-1].text.startswith(message)
    assert is_for_people(turns[-1].text)


def test_the_number_of_attempts_is_no_news():
    turns, made, budget = said(Limits(3, tokens=10_000))
    assert (made, turns[-1].role, budget.ended_by) == (3, "assistant", "attempts")


def test_an_answer_that_ends_by_itself_says_nothing_of_the_budget():
    turns, made, budget = said(Limits(5, tokens=100), answers=[BUG.fixed_lines])
    assert [turn.is_plausible for turn in turns] == [True]
    assert (made, budget.ended_by) == (1, "")


def test_a_model_on_this_machine_costs_nothing():
    assert said(Limits(5, money=1e-9))[1] == 5


def test_what_was_spent_before_a_restart_counts():
    assert said(Limits(5), Spent(attempts=3))[1] == 2
    assert said(Limits(50, tokens=350), Spent(read=100, written=50))[1] == 2
    assert said(Limits(50, seconds=25), Spent(seconds=12))[1] == 2


def test_completions_that_are_drawn_again_count_as_tokens():
    turns, made, budget = said(Limits(50, tokens=500), answers=["    a\n"] * 50)
    assert made == 1
    assert (budget.spent.read, budget.spent.written) == (350, 150)
    assert turns[-1].text.startswith("The budget of 500 tokens")


class Careless:
    ends_at_plausible = True

    def reply(self, bug, conversation, budget, representation, complete, evaluate, count):
        while True:
            text = complete("prompt")
            patch = Patch(bug.id, text)
            yield Turn("assistant", text, patch, evaluate(bug, patch), "prompt")


@pytest.mark.parametrize("limits", [Limits(3), Limits(50, tokens=300), Limits(50, seconds=30)])
def test_a_strategy_that_forgets_its_budget_is_ended(limits):
    assert said(limits, strategy=Careless())[1] == 3


def test_an_answer_goes_on_but_not_after_a_plausible_patch():
    world = World(BUG.fixed_lines, "    other\n")
    talk, strategy = talked(), TestFeedback(TestFeedback.Params())
    for _ in range(2):
        list(answer(strategy, BUG, talk, Budget(Limits(5)), world, world.complete, world.evaluate))
    assert len(talk.turns) == 1
