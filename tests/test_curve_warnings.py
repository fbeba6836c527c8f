"""Warnings about curves: found where something is wrong, and silent about noise."""

from __future__ import annotations

import random

import pytest

from engine.curve_warnings import warnings_of


def kinds(**curves):
    return [each.kind for each in warnings_of({name: [*enumerate(values)] for name, values in curves.items()})]


def noisy(values, spread, seed):
    drawn = random.Random(seed)
    return [value * drawn.lognormvariate(0, spread) for value in values]


FALLING = [1 + 2.7 ** (-step / 8) for step in range(60)]


@pytest.mark.parametrize("spread", [0.0, 0.05, 0.2])
@pytest.mark.parametrize("seed", range(20))
def test_a_falling_loss_says_nothing_however_noisy(spread, seed):
    assert kinds(loss=noisy(FALLING, spread, seed)) == []
    assert kinds(loss=noisy(FALLING[:12], spread, seed)) == []


def test_a_single_spike_says_nothing():
    assert kinds(loss=[*FALLING[:-1], 50.0]) == []
    assert kinds(loss=[*FALLING[:30], 50.0, *FALLING[31:]]) == []


def test_the_curves_of_the_demo_and_of_a_dpo_training_say_nothing():
    """As they were on 22 November 2026."""
    demo = [0.86, 0.78, 0.7, 0.61, 0.56, 0.61, 0.61, 0.47, 0.46, 0.53, 0.62]
    assert kinds(loss=demo, eval_loss=[0.55]) == []
    assert kinds(loss=[0.69, 0.32, 0.06, 0.01, 0.0, 0.0]) == []


@pytest.mark.parametrize("seed", range(10))
def test_a_loss_that_rises_again_diverges(seed):
    rising = [*FALLING[:40], *(1.0 + 0.15 * step for step in range(1, 21))]
    (found,) = warnings_of({"loss": [*enumerate(noisy(rising, 0.05, seed))]})
    assert (found.kind, found.step) == ("diverging", 59)
    assert "the loss rose from" in found.text
    assert "lower learning rate" in found.text


def test_a_loss_that_explodes_in_the_last_steps_diverges():
    assert kinds(loss=[*FALLING, 4.0, 9.0, 20.0]) == ["diverging"]


@pytest.mark.parametrize("seed", range(10))
def test_a_loss_that_does_not_move_is_flat(seed):
    assert kinds(loss=noisy([1.4] * 60, 0.02, seed)) == ["flat"]
    assert kinds(loss=noisy([1.4] * 20, 0.02, seed)) == [], "too few values"


def test_of_rewards_the_mean_reward_is_looked_at_and_not_the_loss():
    up_and_down = [0.01 * (-1) ** step for step in range(60)]
    assert kinds(loss=up_and_down, reward=[0.2 + 0.01 * step for step in range(60)]) == []
    (found,) = warnings_of({"reward": [(step, 0.0) for step in range(60)]})
    assert "no patch gets better" in found.text


def test_an_evaluation_loss_that_rises_while_the_training_loss_falls_is_overfitting():
    loss = [2 - 0.03 * step for step in range(60)]
    rising = [(10, 1.5), (20, 1.2), (30, 1.25), (40, 1.3), (50, 1.4)]
    curves = {"loss": [*enumerate(loss)], "eval_loss": rising}
    (found,) = warnings_of(curves)
    assert (found.kind, found.step) == ("overfitting", 50)
    assert "lowest at step 20 (1.2) and is 1.4 now" in found.text
    assert warnings_of(curves | {"eval_loss": rising[:3]}) == [], "a single worse evaluation says nothing"
    assert warnings_of(curves | {"eval_loss": [*rising[:4], (50, 1.21)]}) == []
    (other,) = warnings_of({"loss": [*enumerate(FALLING[::-1])], "eval_loss": rising})
    assert other.kind == "diverging", "the training loss rises too"


def test_without_curves_there_is_nothing_to_say():
    assert warnings_of({}) == []
    assert warnings_of({"loss": [], "eval_loss": [(1, 2.0)], "reward": []}) == []


def test_numbers_of_any_size_are_looked_at():
    assert kinds(loss=[1e308 * (-1) ** step for step in range(60)], eval_loss=[1e308] * 60) == []
    assert kinds(loss=[1.0] * 30 + [1e308] * 30) == ["diverging"]
    assert kinds(loss=[1.0] * 60, reward=[-1e308] * 60) == ["flat"]
