"""Every registered strategy keeps the contract."""

from __future__ import annotations

import pytest

from engine.domain import Turn
from engine.strategies import registry
from engine.strategies.contract import check


@pytest.mark.parametrize("name", registry.names())
def test_the_contract_holds(name):
    check(registry.create(registry.params(name)))


class Unjudged:
    """A strategy that shows a patch without running its tests."""

    def reply(self, bug, turns, budget, representation, complete, evaluate):
        prompt = representation.encode(bug).prompt
        text = complete(prompt)
        yield Turn("assistant", text, representation.decode(text, bug), prompt=prompt)


def test_the_contract_notices_a_patch_without_verdict():
    with pytest.raises(AssertionError, match="without a verdict"):
        check(Unjudged())


class Endless(Unjudged):
    """A strategy that does not know when to stop."""

    def reply(self, bug, turns, budget, representation, complete, evaluate):
        for _ in range(budget + 1):
            patch = representation.decode(complete(""), bug)
            yield Turn("assistant", "", patch, evaluate(bug, patch), "")


class Hiding(Unjudged):
    """A strategy that shows another prompt than the model read."""

    def reply(self, bug, turns, budget, representation, complete, evaluate):
        text = complete(representation.encode(bug).prompt)
        patch = representation.decode(text, bug)
        yield Turn("assistant", text, patch, evaluate(bug, patch), "one line about the failure")


def test_the_contract_notices_a_prompt_that_the_model_did_not_read():
    with pytest.raises(AssertionError, match="not shown with the prompt"):
        check(Hiding())


def test_the_contract_notices_an_overdrawn_budget():
    with pytest.raises(AssertionError, match="5 patches with a budget of 4"):
        check(Endless())
