"""Reviews of people: one for each person and patch, counted where patches are plausible, and compared in pairs."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from judging import judge

from engine.control.patches import BugQuery
from engine.control.reviews import ReviewTotals
from engine.errors import UserError
from engine.rundir import RunDir
from engine.scoring import Agreement


@pytest.fixture
def give(workspace, judged):
    """Review candidates of the judged run: who, then "easy 1" -> verdict."""

    def given(reviewer, **verdicts):
        for place, verdict in verdicts.items():
            bug, rank = place.split("_")
            workspace.reviews.give(judged, f"b/{bug}", "model", int(rank), reviewer=reviewer, verdict=verdict)

    return given


def beside(workspace, run_id, bug_id, rank, reviewer=""):
    found = workspace.reviews.of_patch(run_id, bug_id, "model", rank, reviewer)
    return found.before, found.after, found.left


def test_a_person_has_one_review_of_a_patch_and_can_change_it(workspace, started):
    run_id, folder = started("benchmark", "candidates=1")
    folder.append("patch", bug_id="b/1", source="model", rank=1, text="x", verdict={"outcome": "plausible"})
    workspace.tick()
    here = (run_id, "b/1", "model", 1)
    workspace.reviews.give(*here, reviewer="ada", verdict="unsure", note="first thought")
    workspace.reviews.give(*here, reviewer="bob", verdict="incorrect", note=" deletes the check ")
    workspace.reviews.give(*here, reviewer=" ada ", verdict="correct")
    found = workspace.reviews.of_patch(*here, "ada ")
    assert (found.mine.verdict, found.mine.note) == ("correct", "")
    assert [(each.reviewer, each.verdict, each.note) for each in found.others] == [
        ("bob", "incorrect", "deletes the check")
    ]
    assert workspace.reviews.note(*here, " bob") == "deletes the check"
    assert workspace.reviews.note(run_id, "b/9", "model", 1, "bob") == ""
    assert workspace.patches.totals(run_id).reviewed == {"correct": 1, "incorrect": 1}
    folder.append("patch", bug_id="b/1", source="model", rank=1, text="x", verdict={"outcome": "test_failed"})
    workspace.tick()
    found = workspace.reviews.of_patch(*here, "")
    assert (len(found.others), found.is_plausible) == (2, False), "a patch judged again keeps what was said of it"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (dict(verdict="good"), r"correct, incorrect, unsure \(got 'good'\)"),
        (dict(reviewer=" "), "enter the reviewer's name"),
        (dict(reviewer="a" * 101), r"reviewer: should be at most 100 characters long \(got 101\)"),
        (dict(note="n" * 10_001), "note: should be at most 10,000 characters"),
        (dict(note="half \ud800"), "note: is not valid text"),
        (dict(rank=9), "run 1 has no candidate 9 for 'b/easy'"),
        (dict(bug_id="b/none"), "run 1 has no bug 'b/none'; give its whole id"),
        (dict(run_id=99), "there is no run 99"),
    ],
)
def test_what_is_wrong_with_a_review_is_said(workspace, judged, wrong, said):
    review = dict(run_id=judged, bug_id="b/easy", source="model", rank=1, reviewer="ada", verdict="correct")
    with pytest.raises(UserError, match=said):
        workspace.reviews.give(**{**review, **wrong})
    assert workspace.reviews.of_run(judged).reviews == ()


def test_a_withdrawn_review_counts_nowhere_and_can_be_given_again(workspace, judged, give):
    give("ada", easy_1="correct", easy_3="correct")
    give("bob", easy_1="incorrect")
    workspace.reviews.withdraw(judged, "b/easy", "model", 1, " bob ")
    found = workspace.reviews.of_patch(judged, "b/easy", "model", 1, "bob")
    assert (found.mine, [each.reviewer for each in found.others]) == (None, ["ada"])
    assert workspace.reviews.of_run(judged).totals == ReviewTotals(3, 2, correct=2, correct_bugs=1)
    workspace.reviews.withdraw(judged, "b/easy", "model", 1, "ada")
    assert beside(workspace, judged, "b/hard", 3, "ada") == (("b/easy", 1), ("b/easy", 1), 2)
    assert workspace.patches.totals(judged).reviewed == {"correct": 1}
    give("ada", easy_1="unsure")
    assert workspace.reviews.of_patch(judged, "b/easy", "model", 1, "ada").mine.verdict == "unsure"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (dict(reviewer="bob"), "'bob' has no review of this patch to withdraw"),
        (dict(rank=3), "'ada' has no review of this patch"),
        (dict(reviewer=" "), "enter the name"),
        (dict(rank=9), "run 1 has no candidate 9 for 'b/easy'"),
    ],
)
def test_what_cannot_be_withdrawn_is_said_and_nothing_is(workspace, judged, give, wrong, said):
    give("ada", easy_1="correct")
    review = dict(run_id=judged, bug_id="b/easy", source="model", rank=1, reviewer="ada")
    with pytest.raises(UserError, match=said):
        workspace.reviews.withdraw(**{**review, **wrong})
    assert len(workspace.reviews.of_run(judged).reviews) == 1


def test_a_patch_is_correct_if_somebody_says_so_and_nobody_says_otherwise(workspace, judged, give):
    assert workspace.patches.totals(judged).review_totals == ReviewTotals(
        plausible=3, reviewed=0, correct=0, correct_bugs=0
    )
    give("ada", easy_1="correct", easy_3="correct", hard_3="unsure")
    assert workspace.reviews.of_run(judged).totals == ReviewTotals(3, 3, correct=2, correct_bugs=1)
    give("bob", easy_1="incorrect", hard_3="correct")
    assert workspace.reviews.of_run(judged).totals == ReviewTotals(3, 3, correct=2, correct_bugs=2)
    give("bob", hard_1="correct")  # a patch that does not compile is no plausible one
    assert workspace.patches.totals(judged).review_totals == ReviewTotals(3, 3, correct=2, correct_bugs=2)


def test_a_bug_that_is_set_aside_has_nothing_to_review(workspace, judged, give):
    give("ada", hard_3="correct")
    folder = workspace.runs.row(judged).folder
    RunDir(Path(folder)).append(
        "bug", id="b/hard", language="python", path="a.py", start=1, end=1, buggy="", fixed="", skipped="gone"
    )
    workspace.tick()
    assert workspace.patches.totals(judged).review_totals == ReviewTotals(
        plausible=2, reviewed=0, correct=0, correct_bugs=0
    )
    assert beside(workspace, judged, "b/easy", 1) == (("b/easy", 3), ("b/easy", 3), 2)
    assert ids(workspace, judged, "") == ["b/easy"]


def ids(workspace, run_id, reviewer):
    return [row.bug_id for row in workspace.patches.page(run_id, BugQuery(show="unreviewed", reviewer=reviewer))[0]]


def test_the_patches_that_one_person_has_not_reviewed_go_round(workspace, judged, give):
    """The plausible ones are 1 and 3 of easy, and 3 of hard."""
    assert beside(workspace, judged, "b/easy", 1) == (("b/hard", 3), ("b/easy", 3), 3)
    assert beside(workspace, judged, "b/easy", 2) == (("b/easy", 1), ("b/easy", 3), 3)
    assert beside(workspace, judged, "b/lost", 1) == (("b/hard", 3), ("b/easy", 1), 3)
    give("ada", easy_3="unsure")
    assert beside(workspace, judged, "b/easy", 1, "ada") == (("b/hard", 3), ("b/hard", 3), 2)
    assert beside(workspace, judged, "b/easy", 1, "bob")[2] == 3
    assert beside(workspace, judged, "b/easy", 1, "")[2] == 2, "without a name: nobody has reviewed it"
    give("ada", easy_1="correct")
    assert ids(workspace, judged, "ada") == ["b/hard"]
    assert ids(workspace, judged, "bob") == ["b/easy", "b/hard"]
    assert beside(workspace, judged, "b/hard", 3, "ada") == (None, None, 1), "only this one is left"
    give("ada", hard_3="incorrect")
    assert beside(workspace, judged, "b/hard", 3, "ada") == (None, None, 0)
    assert ids(workspace, judged, "ada") == ids(workspace, judged, "") == []


def test_a_row_knows_who_has_reviewed_its_cells(workspace, judged, give):
    give("ada", easy_1="correct", easy_3="unsure")
    give("bob", easy_1="correct")
    rows = {row.bug_id: row.reviewers for row in workspace.patches.page(judged)[0]}
    assert rows["b/easy"] == {1: {"ada", "bob"}, 3: {"ada"}}
    assert rows["b/hard"] == {}


def test_each_two_reviewers_are_compared_over_what_both_reviewed(workspace, judged, give):
    give("ada", easy_1="correct", easy_3="incorrect", hard_3="correct")
    give("bob", easy_1="correct", easy_3="correct")
    assert workspace.reviews.of_run(judged).agreements == (Agreement("ada", "bob", 2, 1, 0.0),)
    assert workspace.reviews.of_patch(judged, "b/lost", "model", 1, "").agreements[0].both == 2
    give("cleo", hard_3="correct")
    assert workspace.reviews.of_run(judged).agreements[1:] == (Agreement("ada", "cleo", 1, 1, None),)


def test_reviews_of_another_run_are_not_counted(workspace, judged, started, give):
    RunDir(Path(workspace.runs.row(judged).folder)).append("state", state="done", result={})
    workspace.tick()
    other, folder = started("benchmark", "candidates=3")
    judge(folder, "b/easy", ["plausible"] * 3)
    workspace.tick()
    give("ada", easy_1="correct")
    assert workspace.reviews.of_run(other).reviews == ()
    assert workspace.patches.totals(other).review_totals == ReviewTotals(3, 0, 0, 0)
    assert beside(workspace, other, "b/easy", 2) == (("b/easy", 1), ("b/easy", 3), 3)


def test_exports_count_the_reviews_of_each_patch(workspace, judged, give):
    give("ada", easy_1="correct", hard_3="unsure")
    give("bob", easy_1="correct", hard_3="incorrect")
    names = ("reviewed_correct", "reviewed_incorrect", "reviewed_unsure")
    expected = {("b/easy", "model", 1): (2, 0, 0), ("b/hard", "model", 3): (0, 1, 1)}
    text = list(csv.DictReader(workspace.patches.export(judged, "csv").open(newline="")))
    lines = workspace.patches.export(judged, "jsonl").read_text(encoding="utf-8").splitlines()
    tables = (text, map(json.loads, lines), pq.read_table(workspace.patches.export(judged, "parquet")).to_pylist())
    for rows in tables:
        found = {
            (row["bug_id"], row["source"], int(row["rank"])): tuple(int(row[name]) for name in names) for row in rows
        }
        assert len(found) == 20
        assert {place: counts for place, counts in found.items() if any(counts)} == expected


def test_only_a_run_with_patches_has_reviews(workspace, started):
    run_id, _ = started("chat", "bug=x")
    with pytest.raises(UserError, match="is a chat run, which has no patches"):
        workspace.reviews.of_run(run_id)
    with pytest.raises(UserError, match="there is no run 99"):
        workspace.reviews.of_run(99)
