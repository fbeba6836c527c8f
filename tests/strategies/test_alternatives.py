"""After a plausible patch the model is told which patches pass, and only different code counts as another one."""

from __future__ import annotations

from strategy_world import WRONG, World, replied

from engine.domain import Outcome, Verdict
from engine.strategies.alternatives import Alternatives
from engine.strategies.contract import BUG
from engine.strategies.messages import STUCK

PASSING = ("    return a + b\n", "    return b + a\n", "    return sum((a, b))\n")
ADDED = "tried: return a + b\nevery test passes; a different repair is wanted"


class Passing(World):
    def evaluate(self, bug, patch):
        return Verdict(Outcome.PLAUSIBLE) if patch.text in map(bug.replace_span, PASSING) else WRONG


def talk(*answers, budget=5, turns=(), **settings):
    world = Passing(*answers)
    strategy = Alternatives(Alternatives.Params(**settings))
    return world, replied(strategy, BUG, turns, budget, world, world.complete, world.evaluate)


def attempts(turns):
    return [turn.text for turn in turns if turn.is_attempt]


def test_it_goes_on_until_the_budget_is_spent_and_tells_what_passes():
    world, turns = talk("    return a * b\n", *PASSING, "    return 0\n", budget=4)
    assert attempts(turns) == ["    return a * b\n", *PASSING]
    assert world.prompts[1].startswith("tried: return a * b\ntest_sum: expected 7")
    assert world.prompts[2].endswith(f"\n{ADDED}")
    assert world.prompts[3].endswith(f"\n{ADDED}\n{ADDED.replace('a + b', 'b + a')}")


def test_with_bare_attempts_a_plausible_one_is_told_all_the_same():
    world, turns = talk("    return a * b\n", *PASSING, budget=3, bare=9)
    assert attempts(turns) == ["    return a * b\n", *PASSING[:2]]
    assert world.prompts[:2] == ["", ""]
    assert world.prompts[2].endswith(f"\n{ADDED}")


def test_the_same_code_in_another_layout_is_drawn_again():
    same = ("    return a  +  b\n", "    return a + b  # the sum\n", "    return (a +\n        b)\n")
    assert attempts(talk(PASSING[0], same[0], same[1], PASSING[1], budget=2)[1]) == list(PASSING[:2])
    assert attempts(talk(PASSING[0], same[2], budget=2)[1]) == [PASSING[0], same[2]], "brackets are code"


def test_a_model_that_knows_one_repair_only_ends_the_answer():
    _, turns = talk(*[PASSING[0]] * 4, redraws=2)
    assert attempts(turns) == [PASSING[0]]
    assert turns[-1].text == STUCK


def test_what_passed_in_an_earlier_answer_is_told_and_not_tried_again():
    _, before = talk(PASSING[0], budget=1)
    world, turns = talk(PASSING[0], PASSING[2], budget=1, turns=before)
    assert world.prompts == [ADDED] * 2
    assert attempts(turns) == [PASSING[2]]
