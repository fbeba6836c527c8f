"""The figures that decide which model is better, on cases that can be checked by hand."""

from __future__ import annotations

from collections import Counter

import pytest

from engine.scoring import (
    Agreement,
    BugOutcomes,
    CandidateSummary,
    Share,
    agreements,
    cohens_kappa,
    compare,
    control_trouble,
    figures,
    pass_at,
    pass_at_with_interval,
    plausible_at,
    ranks,
)


def summary(*outcomes):
    names = {"+": "plausible", "-": "test_failed", "c": "compile_error", "?": "not_run", "0": "no_patch"}
    return CandidateSummary.of({rank: names[one] for rank, one in enumerate(outcomes, 1) if one != " "})


@pytest.mark.parametrize(
    ("outcomes", "found"),
    [
        ("--+-", (3, 5, 1, 4)),
        ("?+", (2, 1, 1, 1)),
        ("-? +", (4, 2, 1, 2)),
        ("????", (None, 1, 0, 0)),
        ("", (None, 1, 0, 0)),
        ("0c-", (None, 4, 0, 3)),
    ],
)
def test_a_candidate_summary(outcomes, found):
    at = summary(*outcomes)
    assert (at.first_plausible, at.first_unjudged, at.plausible, at.judged) == found


@pytest.mark.parametrize(
    ("outcomes", "k", "is_plausible"),
    [("--+", 2, False), ("--+", 3, True), ("-?+", 2, None), ("-?+", 3, True), ("?-", 1, None), ("-", 5, None)],
)
def test_what_was_not_run_decides_nothing(outcomes, k, is_plausible):
    assert summary(*outcomes).is_plausible_at(k) is is_plausible


def test_a_bug_none_of_whose_candidates_was_run_is_in_no_denominator():
    bugs = Counter([summary(*"+--"), summary(*"---"), summary(*"???")])
    assert plausible_at(bugs, 1) == plausible_at(bugs, 3) == Share(1, 2)


def test_plausible_at_k_is_given_for_no_k_beyond_the_candidates():
    assert ranks(3) == [1, 3]
    assert ranks(10) == [1, 5, 10]
    assert ranks(1) == [1]


def test_pass_at_k_is_chens_estimate():
    assert summary(*"+---").pass_at(1) == 0.25
    assert summary(*"++--").pass_at(2) == pytest.approx(1 - 1 / 6)
    assert summary(*"+-?").pass_at(3) is None
    assert pass_at(Counter([summary(*"+---"), summary(*"----")]), 1) == 0.125
    assert pass_at(Counter(), 1) is None


def test_wilsons_interval():
    low, high = Share(12, 46).interval
    assert (round(low, 3), round(high, 3)) == (0.156, 0.403)
    assert Share(0, 46).interval[0] == 0.0
    assert Share(0, 0).interval == (0.0, 1.0)


def test_the_interval_of_pass_at_k():
    # 25 of 100 bugs certain, the others lost: the bootstrap is that of a share, whose normal interval is 0.165 to 0.335
    found = pass_at_with_interval(Counter({summary("+"): 25, summary("-"): 75}), 1)
    assert found.value == 0.25
    assert found.low == pytest.approx(0.165, abs=0.015)
    assert found.high == pytest.approx(0.335, abs=0.015)
    alike = pass_at_with_interval(Counter({summary(*"+-"): 7}), 1)
    assert (alike.low, alike.value, alike.high) == (0.5, 0.5, 0.5)  # nothing varies from bug to bug
    assert pass_at_with_interval(Counter({summary("?"): 7}), 1) is None


def test_mcnemars_exact_test():
    pairs = [(True, False)] * 8 + [(False, True)] * 2 + [(True, True)] * 5 + [(None, True), (False, None)]
    found = compare(pairs)
    assert (found.both, found.only_first, found.only_second, found.neither) == (5, 8, 2, 0)
    assert found.p_value == pytest.approx(0.109375)
    assert compare([]).p_value == 1.0


@pytest.mark.parametrize(
    ("known_fix", "buggy_code", "said"),
    [
        ("plausible", "test_failed", ""),
        ("plausible", "timeout", ""),
        (None, None, ""),
        ("test_failed", "test_failed", "the known fix does not pass"),
        ("plausible", "plausible", "the buggy code passes"),
        ("not_run", "test_failed", "the known fix could not be run"),
    ],
)
def test_controls(known_fix, buggy_code, said):
    assert control_trouble(known_fix, buggy_code).startswith(said)
    assert bool(control_trouble(known_fix, buggy_code)) == bool(said)


def test_worker_and_page_count_the_same_bugs():
    def bug(*outcomes, known_fix="plausible", buggy_code="test_failed"):
        return BugOutcomes(known_fix, buggy_code, summary(*outcomes))

    bugs = Counter(
        {
            bug(*"+--"): 2,
            bug(*"--+"): 1,
            bug(*"-?-"): 1,  # known at 1 only
            bug(*"???"): 4,  # in no denominator
            bug(*"+", known_fix="test_failed"): 1,
            bug(*"+", buggy_code="plausible"): 1,
            bug(*"???", known_fix="not_run"): 1,  # no failure of the bug
            bug(): 5,  # set aside, or not judged yet
        }
    )
    found = figures(bugs, 3)
    assert (found.scored, found.control_failures) == (4, 2)
    assert found.plausible_at == {1: Share(2, 4), 3: Share(3, 3)}


def paired(*rows):
    """Pairs of verdicts: row i, column j of the table holds how often the first said i and the second j."""
    names = ("correct", "incorrect", "unsure")
    return [
        (one, other)
        for one, row in zip(names, rows, strict=True)
        for other, n in zip(names, row, strict=True)
        for _ in range(n)
    ]


@pytest.mark.parametrize(
    ("table", "kappa"),
    [
        # Table 1 of Cohen 1960, as counts of 200: p_o = .70, p_e = .6 * .5 + .3 * .3 + .1 * .2 = .41
        (((88, 14, 18), (10, 40, 10), (2, 6, 12)), 0.29 / 0.59),
        (((1, 0, 0), (0, 1, 0), (0, 0, 1)), 1.0),
        (((1, 1, 0), (1, 1, 0), (0, 0, 0)), 0.0),
        (((0, 1, 0), (1, 0, 0), (0, 0, 0)), -1.0),  # p_o = 0, p_e = 1/2
        (((3, 1, 0), (0, 0, 0), (0, 0, 0)), 0.0),  # one said the same throughout: p_o = p_e = 3/4
        (((0, 4, 0), (0, 0, 0), (0, 0, 0)), 0.0),  # both did, each another word: p_o = p_e = 0
        (((4, 0, 0), (0, 0, 0), (0, 0, 0)), None),  # p_e = 1
        (((0, 0, 0), (0, 0, 0), (0, 0, 0)), None),
    ],
)
def test_cohens_kappa(table, kappa):
    pairs = paired(*table)
    assert cohens_kappa(pairs) == (None if kappa is None else pytest.approx(kappa))
    assert cohens_kappa([(other, one) for one, other in pairs]) == cohens_kappa(pairs), "neither is the standard"


def test_each_two_reviewers_agree_over_the_patches_that_both_reviewed():
    verdicts = {
        "cleo": {2: "correct"},
        "bob": {1: "correct", 2: "incorrect", 3: "incorrect", 4: "unsure"},
        "ada": {1: "correct", 2: "incorrect", 3: "correct"},
        "dan": {9: "correct"},
    }
    assert agreements(verdicts) == [
        Agreement("ada", "bob", 3, 2, pytest.approx((6 - 4) / (9 - 4))),  # by chance: 2 * 1 correct, 1 * 2 incorrect
        Agreement("ada", "cleo", 1, 0, 0.0),
        Agreement("bob", "cleo", 1, 0, 0.0),
    ]
