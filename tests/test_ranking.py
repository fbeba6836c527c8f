"""Which candidate each order puts first, on candidates that can be ordered by hand."""

from __future__ import annotations

import pytest

from engine.domain import Outcome
from engine.ranking import ORDERS, Ranked, tops

GOOD, BAD, NONE, NOT_RUN = Outcome.PLAUSIBLE, Outcome.TEST_FAILED, Outcome.NO_PATCH, Outcome.NOT_RUN


def only(candidates):
    """The orders in which the plausible candidate comes first."""
    found = tops(candidates)
    assert found.keys() == ORDERS.keys()
    return {order for order, hit in found.items() if hit}


def test_each_order_can_put_another_one_first():
    # total: -0.5 x 2 = -1, -0.1 x 20 = -2, -0.9 x 3 = -2.7, -0.9 x 4 = -3.6, -0.8 x 5 = -4
    given = {
        1: (-0.5, 2, "a", 9),
        2: (-0.1, 20, "b", 8),
        3: (-0.9, 3, "c", 7),
        4: (-0.9, 4, "c", 7),
        5: (-0.8, 5, "d", 1),
    }
    firsts = {"total": 1, "mean": 2, "agreement": 3, "edit": 5}
    for order, first in firsts.items():
        said = [Ranked(rank, GOOD if rank == first else BAD, *facts) for rank, facts in given.items()]
        assert only(said) == {order}


def test_candidates_that_are_equal_stay_as_generated():
    tied = [Ranked(2, BAD, -1.0, 1, "b", 3), Ranked(1, GOOD, -1.0, 1, "a", 3)]
    assert only(tied) == set(ORDERS)


def test_no_patch_and_no_change_are_last_by_agreement_and_edit():
    said = [
        Ranked(1, NONE, -0.1, 1),
        Ranked(2, NONE, -0.1, 1),
        Ranked(3, BAD, -0.1, 1, "same", 0),
        Ranked(4, BAD, -0.1, 1, "same", 0),
        Ranked(5, GOOD, -0.2, 2, "good", 40),
    ]
    assert only(said) == {"agreement", "edit"}


@pytest.mark.parametrize(
    ("lacks", "unknown"),
    [
        ({"score": None}, {"mean", "total"}),
        ({"tokens": None}, {"total"}),
        ({"edit": None}, {"edit"}),
        ({"outcome": NOT_RUN}, set(ORDERS)),
    ],
)
def test_what_is_not_known_is_not_guessed(lacks, unknown):
    facts = {"rank": 1, "outcome": GOOD, "score": -0.1, "tokens": 1, "patch": "a", "edit": 1}
    found = tops([Ranked(**facts | lacks), Ranked(2, BAD, -0.9, 9, "b", 9)])
    assert {order for order, hit in found.items() if hit is None} == unknown
    assert {order for order, hit in found.items() if hit} == set(ORDERS) - unknown


def test_a_bug_without_candidates_has_no_first():
    assert set(tops([]).values()) == {None}
