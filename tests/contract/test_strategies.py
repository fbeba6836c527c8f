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


def honest(bug, conversation, budget, representation, complete, evaluate):
    while budget.has_room():
        turn = patched(bug, representation, complete, evaluate)
        yield turn
        if turn.verdict.is_plausible:
            return


def mute(*_):
    yield from ()


def careless(bug, conversation, budget, *how):
    for _ in range(budget.limits.attempts + 1):
        yield patched(bug, *how)


def endless(bug, conversation, budget, *how):
    turn = patched(bug, *how)
    for _ in range(budget.limits.attempts + 1):
        yield turn


def counting_attempts(bug, conversation, budget, *how):
    for _ in range(budget.limits.attempts):
        yield (turn := patched(bug, *how))
        if turn.verdict.is_plausible:
            return


def stubborn(bug, conversation, budget, *how):
    while budget.has_room():
        yield patched(bug, *how)


def unjudged(*how):
    yield from (replace(turn, verdict=None) for turn in honest(*how))


def guessed(bug, conversation, budget, representation, complete, evaluate):
    yield from honest(bug, conversation, budget, representation, complete, lambda *_: Verdict(Outcome.TEST_FAILED))


def impostor(*how):
    yield from honest(*how)
    yield Turn("user", "thank you")


def patching_tool(*how):
    yield replace(next(honest(*how)), role="tool")


def despairing(bug, conversation, budget, representation, complete, evaluate):
    def lost(prompt):
        return complete(prompt) and "    pass\n"

    yield from honest(bug, conversation, budget, representation, lost, evaluate)


def hiding(*how):
    yield from (replace(turn, prompt="one line about the failure") for turn in honest(*how))


def parting(*how):
    yield from honest(*how)
    yield Turn("tool", "that was all")


def going_ahead(*how):
    yield from (replace(turn, parent=7) for turn in honest(*how))


def explaining(bug, conversation, budget, representation, complete, evaluate):
    prompt = representation.encode(bug).prompt
    if budget.has_room():
        yield Turn("assistant", complete(prompt), prompt=prompt)
    yield from honest(bug, conversation, budget, representation, complete, evaluate)


def judging_words(*how):
    for turn in honest(*how):
        yield turn
        yield replace(turn, patch=None)


def only_talking(*how):
    yield from (replace(turn, patch=None, verdict=None) for turn in honest(*how))


class Fake:
    """A strategy made of one function."""

    ends_at_plausible = True

    def __init__(self, reply):
        self.reply = reply


def branching(*how):
    yield from (replace(turn, parent=1 if number else None) for number, turn in enumerate(honest(*how)))


@pytest.mark.parametrize("reply", [honest, branching, explaining])
def test_the_contract_accepts_a_correct_one(reply):
    check(Fake(reply))


def test_the_contract_accepts_one_that_goes_on_after_a_plausible_patch_and_says_so():
    going_on = Fake(stubborn)
    going_on.ends_at_plausible = False
    check(going_on)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (mute, "nothing was said"),
        (careless, "asked for a completion when the attempts were spent"),
        (endless, "5 patches with a budget of 4"),
        (counting_attempts, "asked for a completion when the tokens were spent"),
        (judging_words, "there is a verdict without a patch"),
        (only_talking, "asked for more than 500 completions"),
        (stubborn, "went on after a plausible patch"),
        (unjudged, "patch 0 was shown without a verdict"),
        (guessed, "the verdict on patch 0 came from no test run"),
        (impostor, "'user' is not for a strategy to say"),
        (patching_tool, "patches are the assistant's"),
        (despairing, "a model that knows the fix did not get it through"),
        (hiding, "not shown with the prompt"),
        (parting, "something was said after a plausible patch"),
        (going_ahead, "turn 1 names 7 as its parent"),
    ],
)
def test_the_contract_finds(reply, said):
    with pytest.raises(AssertionError, match=said):
        check(Fake(reply))
