"""The model explains the fault first; the explanation is a turn without a patch, and is in each prompt for one."""

from __future__ import annotations

import pytest
from strategy_world import TESTED, World, attempt, replied

from engine.domain import Turn, as_text
from engine.errors import UserError
from engine.plugins import REPRESENTATIONS
from engine.strategies.contract import BUG
from engine.strategies.messages import SHORTENED
from engine.strategies.two_stage import TwoStage

CAUSE = "The sign is wrong: it subtracts where it should add."


class Talking(World):
    def question(self, bug, notes=()):
        return "\n".join(["why?", *notes])


def talk(*answers, turns=(), budget=5, bug=BUG, room=10_000, **settings):
    world = Talking(*answers, room=room)
    strategy = TwoStage(TwoStage.Params(**settings))
    return world, replied(strategy, bug, turns, budget, world, world.complete, world.evaluate)


def test_the_cause_is_asked_for_first_and_is_in_each_prompt_for_a_patch():
    world, turns = talk(CAUSE, "    return a * b\n", BUG.fixed_lines, bug=TESTED)
    assert [turn.role for turn in turns] == ["tool", "assistant", "assistant", "tool", "assistant"]
    fails, cause = turns[0].text, turns[1]
    assert (cause.text, cause.patch, cause.verdict, cause.is_explanation) == (CAUSE, None, None, True)
    assert cause.prompt == f"why?\n{fails}", "the failing tests are told before"
    assert world.prompts[1] == f"{fails}\nroot cause: {CAUSE}"
    assert f"root cause: {CAUSE}" in world.prompts[2]
    assert world.prompts[2].endswith(turns[3].text)
    assert turns[-1].is_plausible


def test_an_explanation_is_no_attempt():
    _, turns = talk(CAUSE, "    0\n", "    1\n", "    2\n", budget=2)
    assert sum(turn.is_attempt for turn in turns) == 2


def test_it_is_asked_for_once_and_again_on_a_branch_without_it():
    explained = [Turn("assistant", CAUSE, prompt="why?"), attempt("    return a * b\n"), Turn("user", "try harder")]
    world, turns = talk(BUG.fixed_lines, turns=explained)
    assert not any(turn.is_explanation for turn in turns)
    assert f"root cause: {CAUSE}" in world.prompts[0]
    assert talk(CAUSE, BUG.fixed_lines, turns=explained[1:])[0].prompts[0].startswith("why?\ntried: return a * b\n")


def test_a_long_cause_is_cut_and_left_out_before_a_hint_is():
    world, _ = talk("x" * 5000, BUG.fixed_lines, tokens=40, first_prompt=False)
    assert world.prompts[1] == f"root cause: {'x' * 40}"
    hint = Turn("user", "mind the sign")
    world, turns = talk(CAUSE, BUG.fixed_lines, turns=[hint], room=len("hint: mind the sign") + 5, first_prompt=False)
    assert world.prompts[1] == "hint: mind the sign"
    assert [turn.text for turn in turns if turn.role == "tool"] == [SHORTENED]


def test_a_chat_model_is_asked_in_words_with_the_same_code():
    shown = REPRESENTATIONS.create(REPRESENTATIONS.params("instruct"))
    asked = as_text(shown.question(BUG, ["hint: mind the sign"]))
    assert "Explain what is wrong in the function `add`" in asked
    assert "return a - b" in asked
    assert "Write no code." in asked
    assert asked.endswith("What is known:\n- hint: mind the sign")
    assert "return a + b" not in asked


@pytest.mark.parametrize("name", ["ir4_or2", "left_to_right"])
def test_a_model_that_fills_in_code_is_an_error_that_names_what_is_needed(name):
    world = World()
    shown = REPRESENTATIONS.create(REPRESENTATIONS.params(name))
    world.evaluate = None  # no tests are run before
    with pytest.raises(UserError, match=f"{name} is for models that fill in code.*choose instruct with a model"):
        replied(TwoStage(TwoStage.Params()), BUG, (), 5, shown, world.complete, world.evaluate)
