"""Known fixes, first candidates and costs of a run, from events that say all of it and from events that do not."""

from __future__ import annotations

import pytest

from engine.scoring import Share

OUTCOMES = {"+": "plausible", "-": "test_failed", "?": "not_run"}


def emit(folder, bug_id, candidates, *, known=True, skipped=""):
    """A bug with its controls, and a candidate for each (sign, text, tree, score) of `candidates`."""
    folder.append("bug", id=bug_id, language="python", path="a.py", start=1, end=1, buggy="x\n", fixed="y\n",
                  skipped=skipped)  # fmt: skip
    for source, text, outcome in (("known_fix", "y\n", "plausible"), ("buggy_code", "x\n", "test_failed")):
        folder.append("patch", bug_id=bug_id, source=source, rank=0, text=text, verdict={"outcome": outcome})
    for rank, (sign, text, tree, score) in enumerate(candidates, 1):
        more = {"tree": tree, "is_known_tree": tree == "fix", "edit": len(text)} if known else {}
        more |= {"tokens_written": 100 * rank, "tokens_read": 10} if known else {}
        folder.append("patch", bug_id=bug_id, source="model", rank=rank, text=text, score=score,
                      verdict={"outcome": OUTCOMES[sign]}, **more)  # fmt: skip


@pytest.fixture
def three(workspace, started):
    """`late` has the fix's text at rank 3 and its tree at rank 2; `tree` only its tree; `none` neither."""
    run_id, folder = started("benchmark", "candidates=3")
    emit(folder, "b/late", [("-", "longer\n", "a", -0.1), ("+", "y  # so\n", "fix", -0.9), ("+", "y\n", "fix", -0.4)])
    emit(folder, "b/tree", [("+", "y #\n", "fix", -0.1), ("-", "z\n", "b", -0.2), ("-", "zz\n", "b", -0.3)])
    emit(folder, "b/none", [("-", "q\n", "c", -0.1), ("-", "w\n", "d", -0.2), ("+", "zzzz\n", "e", -0.3)])
    return run_id, folder


def finished(workspace, run_id, folder, **result):
    folder.append("state", state="done", result=result)
    workspace.tick()
    return workspace.patches.totals(run_id)


def test_matches_at_k(workspace, three):
    totals = finished(workspace, *three)
    assert totals.exact_at == {1: Share(0, 3), 3: Share(1, 3)}
    assert totals.tree_at == {1: Share(1, 3), 3: Share(2, 3)}
    assert totals.known_fixes == 1


def test_the_first_of_each_order(workspace, three):
    totals = finished(workspace, *three)
    assert totals.orders == {
        "generated": Share(1, 3),
        "mean": Share(1, 3),
        "total": Share(1, 3),
        "agreement": Share(1, 3),  # of `late`; b is what two of the three of `tree` are, and all of `none` differ
        "edit": Share(1, 3),  # of `late`: two characters
    }


def test_bugs_with_the_same_outcomes_count_each(workspace, started):
    run_id, folder = started("benchmark", "candidates=1")
    for number in range(4):
        emit(folder, f"b/{number}", [("+", "y\n", "fix", -0.1)])
    totals = finished(workspace, run_id, folder)
    assert totals.exact_at == totals.tree_at == {1: Share(4, 4)}
    assert set(totals.orders.values()) == {Share(4, 4)}


def test_what_a_run_took(workspace, three):
    totals = finished(workspace, *three, gpus=2)
    costs, each = totals.costs, totals.costs_of_each
    assert (costs.tokens_written, costs.tokens_read, costs.money) == (1800, 90, None)
    assert costs.gpu_hours == pytest.approx(2 * costs.seconds / 3600)
    assert (each.tokens_written, each.tokens_read) == (600, 30)


def test_what_older_events_do_not_say_is_not_known(workspace, three):
    run_id, folder = three
    emit(folder, "b/older", [("+", "y\n", "", -0.1)] * 3, known=False)
    totals = finished(workspace, run_id, folder)
    assert totals.exact_at[3] == Share(2, 4)
    assert totals.tree_at == {}, "a figure that leaves a bug out would be too low"
    assert (totals.costs.tokens_written, totals.costs.tokens_read, totals.costs.gpu_hours) == (None, None, None)
    assert totals.orders["edit"].total == 3
    assert totals.orders["mean"].total == 4


def test_a_bug_that_is_set_aside_counts_nowhere_but_its_tokens_were_written(workspace, three):
    run_id, folder = three
    emit(folder, "b/aside", [("+", "y\n", "fix", -0.1)] * 3, skipped="no JDK")
    totals = finished(workspace, run_id, folder)
    assert (totals.exact_at[3], totals.tree_at[3], totals.orders["mean"]) == (Share(1, 3), Share(2, 3), Share(1, 3))
    assert totals.costs.tokens_written == 1800 + 600


def test_money_is_what_the_endpoints_prices_say(workspace, started):
    prices = ("generator=endpoint", "generator.prompt_price=2", "generator.written_price=10", "generator.currency=EUR")
    run_id, folder = started("benchmark", "candidates=1", "model=served", *prices)
    emit(folder, "b/1", [("+", "y\n", "fix", None)])
    totals = finished(workspace, run_id, folder)
    assert totals.costs.money == pytest.approx((100 * 10 + 10 * 2) / 1e6)
    assert totals.costs.currency == totals.costs_of_each.currency == "EUR"
    assert totals.orders.keys() == {"generated", "agreement", "edit"}, "a service tells no scores"
    compared = workspace.compare.runs([run_id, _again(workspace, started)])
    assert compared.runs[0].costs == totals.costs
    assert (compared.runs[0].exact_at, compared.runs[0].tree_at) == ({1: Share(1, 1)}, {1: Share(1, 1)})
    assert compared.runs[1].tree_at == {}


def _again(workspace, started):
    run_id, folder = started("benchmark", "candidates=1")
    emit(folder, "b/1", [("+", "y\n", "fix", None)], known=False)
    finished(workspace, run_id, folder)
    return run_id
