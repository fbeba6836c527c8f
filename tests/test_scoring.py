"""The figures that decide which model is better, on cases that can be checked by hand."""

from __future__ import annotations

from collections import Counter

import pytest

from engine.scoring import (
    Agreement,
    BugOutcomes,
    CandidateSummary,
    Costs,
    Share,
    agreements,
    chances,
    cohens_kappa,
    compare,
    control_trouble,
    figures,
    money,
    pass_at,
    pass_at_with_interval,
    plausible_at,
    ranks,
    shares_at,
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


def test_a_bug_with_fewer_candidates_counts_at_every_k_once_no_more_can_come():
    def short(*outcomes):
        return CandidateSummary.of(dict(enumerate(outcomes, 1)), is_over=True)

    failed, passed = short("compile_error"), short("test_failed", "plausible")
    assert [failed.is_plausible_at(k) for k in (1, 2, 10)] == [False, False, False]
    assert [passed.is_plausible_at(k) for k in (1, 2, 10)] == [False, True, True]
    assert short("test_failed", "not_run").is_plausible_at(5) is None  # its second candidate exists
    bugs = Counter([failed, short(*["plausible"] * 19)])
    assert {k: plausible_at(bugs, k) for k in ranks(19)} == dict.fromkeys((1, 5, 10, 19), Share(1, 2))
    assert {k: (mean.value, mean.bugs) for k, mean in chances(bugs, 19).items()} == {
        1: (0.5, 2),
        **dict.fromkeys((5, 10, 19), (1.0, 1)),
    }


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


def many(plausible, n):
    return CandidateSummary(1 if plausible else None, n + 1, plausible, n)


def test_pass_at_k_of_two_hundred_candidates():
    """As HumanEval reports it: 1 - C(n - c, k) / C(n, k) of each problem by itself, and then the mean of those."""
    found = chances({many(20, 200): 1, many(0, 200): 1}, 200)
    assert [*found] == [1, 5, 10, 50, 80, 100, 200]
    assert found[1].value == pytest.approx((20 / 200) / 2)
    missed = 1.0  # none of ten drawn one after another
    for drawn in range(10):
        missed *= (180 - drawn) / (200 - drawn)
    assert found[10].value == pytest.approx((1 - missed) / 2)
    assert found[80].value == pytest.approx(0.5, abs=1e-4)
    assert found[200].value == 0.5
    assert many(1, 200).pass_at(100) == pytest.approx(0.5)  # one of 200 is among the 100 drawn half the time
    assert many(150, 200).pass_at(80) == 1.0  # there are not 80 others
    # pooled, two of four candidates would be plausible: 5/6
    assert pass_at(Counter([many(2, 2), many(0, 2)]), 2) == 0.5


def test_pass_at_k_is_given_for_no_k_beyond_the_verdicts():
    assert [*chances({many(1, 9): 3}, 10)] == [1, 5]
    assert many(1, 9).pass_at(10) is None


def test_shares_at_k_count_the_first_of_each_bug():
    totals = {1: Share(5, 20), 10: Share(9, 18)}
    assert shares_at({1: 2, 7: 3, 11: 1}, totals) == {1: Share(2, 20), 10: Share(5, 18)}


def test_costs_of_each_fixed_bug():
    costs = Costs(3000, 60_000, 90.0, 0.5, None, "EUR")
    assert costs.for_each(4) == Costs(750, 15_000, 22.5, 0.125, None, "EUR")
    assert costs.for_each(0) is None


def test_money_is_what_both_prices_say():
    assert money(2_000_000, 500_000, 0.6, 0.2) == pytest.approx(1.3)
    assert money(2_000_000, 500_000, 0.6, None) is money(None, 1, 0.6, 0.2) is None
    assert money(1000, 1000, 0.0, 0.0) == 0.0  # a service of one's own


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
    assert found.repaired == 3
    assert {k: mean.value for k, mean in found.pass_at.items()} == {1: pytest.approx((1 / 3 * 3 + 0) / 4), 3: 1.0}


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
