"""The arithmetic of a plan: what is divided by cards and nodes, what is not, and which part decides."""

from __future__ import annotations

import pytest

from engine.plan import Cluster, Repairing, Stepping, repairing, stepping, times_in

ON_A_CARD = Repairing(writing_s=2.0, testing_s=8.0, together_s=5.0, cards=1, workers=4)


def test_with_cards_the_slower_of_writing_and_testing_decides():
    seconds, decides = repairing(100, ON_A_CARD, Cluster(1, 1), None)
    assert (seconds, decides[:14]) == (200.0, "writing decide")
    seconds, decides = repairing(100, ON_A_CARD, Cluster(1, 4), None)
    assert seconds == 200.0, "as long as four cores test what four cards have written"
    assert decides.startswith("the tests decide: writing would take 25%")
    assert repairing(100, ON_A_CARD, Cluster(1, 4), 32)[0] == 50.0
    assert repairing(100, ON_A_CARD, Cluster(8, 4), 32)[0] == 50.0 / 8


def test_without_cards_both_share_the_processor():
    on_cores = Repairing(2.0, 8.0, 5.0, cards=0, workers=4)
    assert repairing(100, on_cores, Cluster(), None)[0] == 500.0
    assert repairing(100, on_cores, Cluster(5), None)[0] == 100.0


@pytest.mark.parametrize(("cards", "seconds"), [(0, 120.0), (1, 120.0), (4, 30.0)])
def test_steps_and_evaluations_are_shared_and_checkpoints_are_not(cards, seconds):
    assert stepping(1000, 2, 3, Stepping(0.1, 10.0, 5.0, 0), cards) == (seconds, 15.0)


def test_a_rate_of_several_cards_is_that_of_all():
    assert stepping(1000, 0, 0, Stepping(0.1, None, None, 4), 8)[0] == 50.0


@pytest.mark.parametrize(("steps", "every", "times"), [(50, 50, 1), (51, 50, 2), (10, 50, 1), (10, 0, 0)])
def test_what_is_done_every_so_many_steps_is_done_at_the_last_one_too(steps, every, times):
    assert times_in(steps, every) == times
