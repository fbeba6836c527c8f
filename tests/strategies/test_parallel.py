"""Different first patches are branches of one tree, each told of its own failures, with one budget for all."""

from __future__ import annotations

import pytest
from strategy_world import TESTED, World, attempt, replied, talked

from engine.domain import Turn
from engine.strategies.answer import answer
from engine.strategies.budget import Budget, Limits, Spent
from engine.strategies.contract import BUG
from engine.strategies.conversation import Conversation
from engine.strategies.messages import STUCK
from engine.strategies.parallel import Parallel

WRONG = [f"    return a * {number}\n" for number in range(30)]


def talk(*answers, turns=(), budget=6, bug=BUG, **settings):
    world = World(*answers)
    strategy = Parallel(Parallel.Params(**settings))
    return world, replied(strategy, bug, turns, budget, world, world.complete, world.evaluate)


def tree(turns):
    """(number, parent, the number in the answer, or "told") of each."""
    return [(turn.number, turn.parent or 0, turn.text.strip()[-1] if turn.is_attempt else "told") for turn in turns]


def test_first_patches_come_first_then_each_is_continued_in_turn():
    world, turns = talk(*WRONG, conversations=2, budget=5)
    assert tree(turns) == [
        (1, 0, "0"), (2, 0, "1"),
        (3, 1, "told"), (4, 3, "2"),
        (5, 2, "told"), (6, 5, "3"),
        (7, 4, "told"), (8, 7, "4"),
    ]  # fmt: skip
    assert world.prompts[:2] == ["", ""]
    assert [prompt.count("tried: ") for prompt in world.prompts[2:]] == [1, 1, 2]
    assert "a * 0" in world.prompts[2]
    assert "a * 0" not in world.prompts[3], "a branch is told of its own attempts"
    assert "a * 1" in world.prompts[3]


def test_no_branch_tries_what_another_has_tried():
    _, turns = talk(WRONG[0], WRONG[0], WRONG[1], WRONG[1], WRONG[0], WRONG[2], conversations=2, budget=3)
    assert [turn.text for turn in turns if turn.is_attempt] == WRONG[:3]


@pytest.mark.parametrize("before", range(4))
def test_it_ends_at_the_first_plausible_patch(before):
    _, turns = talk(*WRONG[:before], BUG.fixed_lines, *WRONG[before:], conversations=2)
    assert [turn.is_plausible for turn in turns if turn.is_attempt] == [False] * before + [True]
    assert turns[-1].is_plausible


def test_the_attempts_of_all_branches_are_one_budget():
    assert sum(turn.is_attempt for turn in talk(*WRONG, conversations=3, budget=2)[1]) == 2
    assert sum(turn.is_attempt for turn in talk(*WRONG, conversations=3, budget=8)[1]) == 8


def test_a_branch_that_repeats_itself_is_left_and_the_others_go_on():
    answers = [WRONG[0], WRONG[1], WRONG[0], WRONG[2], WRONG[3]]
    _, turns = talk(*answers, conversations=2, redraws=0, budget=4)
    stuck = [turn.parent for turn in turns if turn.text == STUCK]
    assert stuck == [3], "below the first patch, whose conversation is left"
    assert [turn.text for turn in turns if turn.is_attempt] == WRONG[:4]


def test_a_model_with_one_first_patch_only_has_one_conversation():
    _, turns = talk(WRONG[0], WRONG[0], WRONG[1], conversations=3, redraws=0, budget=2)
    assert tree(turns) == [(1, 0, "0"), (2, 1, "told"), (3, 2, "1")]


def test_all_branches_begin_after_what_was_said_before():
    said = [Turn("user", "mind the sign"), attempt("    return a * b\n")]
    world, turns = talk(*WRONG, conversations=2, budget=3, turns=said)
    assert tree(turns)[:3] == [(3, 2, "told"), (4, 3, "0"), (5, 3, "1")], "the failure is told once"
    assert all(prompt.startswith("hint: mind the sign\ntried: return a * b\n") for prompt in world.prompts)


def test_what_fails_at_first_is_told_to_every_branch():
    world, turns = talk(*WRONG, conversations=2, budget=2, bug=TESTED, first_prompt=True)
    assert tree(turns) == [(1, 0, "told"), (2, 1, "0"), (3, 1, "1")]
    assert world.prompts == [turns[0].text] * 2


@pytest.mark.parametrize("stopped_after", range(1, 8))
def test_a_worker_that_was_stopped_goes_on_with_the_same_branches(stopped_after):
    _, whole = talk(*WRONG, conversations=2, budget=5)
    begun = whole[:stopped_after]
    made = sum(turn.is_attempt for turn in begun)
    conversation = Conversation(begun, first=1)
    world = World(*WRONG[made:])
    strategy = Parallel(Parallel.Params(conversations=2))
    budget = Budget(Limits(5), Spent(attempts=made))
    again = list(answer(strategy, BUG, conversation, budget, world, world.complete, world.evaluate))
    assert tree([*begun, *again]) == tree(whole)
    assert [turn.prompt for turn in again] == [turn.prompt for turn in whole[stopped_after:]]


def test_the_next_answer_follows_the_newest_branch():
    _, first = talk(*WRONG, conversations=2, budget=2)
    conversation = talked()
    for turn in first:
        conversation.add(turn)
    assert conversation.path[-1].number == 2
    _, second = talk(*WRONG[2:], conversations=2, budget=2, turns=first)
    assert tree(second) == [(3, 2, "told"), (4, 3, "2"), (5, 3, "3")]
