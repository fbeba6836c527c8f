"""Every registered strategy keeps the contract."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.domain import Outcome, Turn, Verdict
from engine.plugins import STRATEGIES
from engine.strategies.contract import check


@pytest.mark.parametrize("name", STRATEGIES.names())
def test_the_contract_holds(name):
    check(STRATEGIES.create(STRATEGIES.params(name)))


def patched(bug, representation, complete, evaluate):
    prompt = representation.encode(bug).prompt
    text = complete(prompt)
    patch = representation.decode(text, bug)
    return Turn("assistant", text, patch, evaluate(bug, patch), prompt)


def honest(bug, turns, budget, representation, complete, evaluate):
    for _ in range(budget):
        turn = patched(bug, representation, complete, evaluate)
        yield turn
        if turn.verdict.is_plausible:
            return


def mute(*_):
    yield from ()


def endless(bug, turns, budget, *how):
    for _ in range(budget + 1):
        yield patched(bug, *how)


def stubborn(bug, turns, budget, *how):
    for _ in range(budget):
        yield patched(bug, *how)


def unjudged(*how):
    yield from (replace(turn, verdict=None) for turn in honest(*how))


def guessed(bug, turns, budget, representation, complete, evaluate):
    yield from honest(bug, turns, budget, representation, complete, lambda *_: Verdict(Outcome.TEST_FAILED))


def impostor(*how):
    yield from honest(*how)
    yield Turn("user", "thank you")


def patching_tool(*how):
    yield from (replace(turn, role="tool") for turn in honest(*how))


def despairing(bug, turns, budget, representation, complete, evaluate):
    yield from honest(bug, turns, budget, representation, lambda prompt: complete(prompt) and "    pass\n", evaluate)


def hiding(*how):
    yield from (replace(turn, prompt="one line about the failure") for turn in honest(*how))


def parting(*how):
    yield from honest(*how)
    yield Turn("tool", "that was all")


def going_ahead(*how):
    yield from (replace(turn, parent=7) for turn in honest(*how))


class Fake:
    """A strategy made of one function."""

    def __init__(self, reply):
        self.reply = reply


def branching(*how):
    yield from (replace(turn, parent=1 if number else None) for number, turn in enumerate(honest(*how)))


@pytest.mark.parametrize("reply", [honest, branching])
def test_the_contract_accepts_a_correct_one(reply):
    check(Fake(reply))


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (mute, "nothing was said"),
        (endless, "5 patches with a budget of 4"),
        (stubborn, "went on after a plausible patch"),
        (unjudged, "patch 0 was shown without a verdict"),
        (guessed, "the verdict on patch 0 came from no test run"),
        (impostor, "'user' is not for a strategy to say"),
        (patching_tool, "patches are the assistant's"),
        (despairing, "a model that knows the fix did not get it through"),
        (hiding, "not shown with the prompt"),
        (parting, "the last turn has no verdict"),
        (going_ahead, "turn 1 names 7 as its parent"),
    ],
)
def test_the_contract_finds(reply, said):
    with pytest.raises(AssertionError, match=said):
        check(Fake(reply))
