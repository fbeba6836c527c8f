"""Runs side by side: only bugs that all of them score count, and what was not run decides nothing."""

from __future__ import annotations

import pytest

from engine.control.compare import distinct_names
from engine.errors import UserError

OUTCOMES = {"+": "plausible", "-": "test_failed", "?": "not_run"}


def emit_bug(folder, bug_id, candidates, *, kind="off_by_one", buggy_code="test_failed", span=(1, 1), **more):
    """The events of one bug: both controls, and a candidate for each sign of `candidates`."""
    start, end = span
    folder.append(
        "bug",
        id=bug_id,
        language="python",
        path="a.py",
        kind=kind,
        start=start,
        end=end,
        buggy="x\n",
        fixed="y\n",
        **more,
    )
    patches = [("known_fix", 0, "plausible"), ("buggy_code", 0, buggy_code)]
    patches += [("model", rank, OUTCOMES[sign]) for rank, sign in enumerate(candidates, 1)]
    for source, rank, outcome in patches:
        folder.append("patch", bug_id=bug_id, source=source, rank=rank, text=f"{rank}\n", verdict={"outcome": outcome})


@pytest.fixture
def two_runs(workspace, started):
    """Both repair `both`, one each of `first` and `second`; `neither` and `away` are repaired by none of them."""
    first, folder = started("benchmark", "candidates=3")
    for bug_id, candidates in {"both": "+--", "first": "--+", "second": "---", "neither": "---", "away": "???"}.items():
        emit_bug(folder, f"b/{bug_id}", candidates, kind="guard" if bug_id == "first" else "off_by_one")
    emit_bug(folder, "b/only-here", "+++")
    folder.append("state", state="done", result={})
    workspace.tick()
    second, folder = started("benchmark", "candidates=2", "model=starter-adapter")
    for bug_id, candidates in {"both": "-+", "first": "--", "second": "+-", "neither": "--", "away": "+-"}.items():
        emit_bug(folder, f"b/{bug_id}", candidates, kind="guard" if bug_id == "first" else "off_by_one")
    folder.append("state", state="done", result={})
    workspace.tick()
    return first, second


def test_two_runs_bug_by_bug(workspace, two_runs):
    compared = workspace.compare.runs(two_runs)
    assert compared.k == 2  # the second run has no third candidate
    assert (compared.pair.both, compared.pair.only_first, compared.pair.only_second, compared.pair.neither) == (
        1,
        0,
        1,
        2,
    )
    assert compared.pair.p_value == 1.0
    assert compared.common == 4
    assert {bug.bug_id: bug.repaired for bug in compared.bugs if not bug.is_common} == {
        "b/away": (None, True),
        "b/only-here": (True, None),
    }


def test_a_run_of_the_first_version_has_the_bugs_of_today(workspace, started):
    runs = []
    for prefix in ("quixbugs", "quixbugs-python"):
        run_id, folder = started("benchmark", "candidates=2")
        emit_bug(folder, f"{prefix}/gcd", "-+")
        folder.append("state", state="done", result={})
        workspace.tick()
        runs.append(run_id)
    compared = workspace.compare.runs(runs)
    assert [(bug.bug_id, bug.repaired) for bug in compared.bugs] == [("quixbugs-python/gcd", (True, True))]
    assert {workspace.patches.detail(run, "quixbugs-python/gcd", "model", 2).outcome for run in runs} == {"plausible"}


def test_figures_count_the_common_bugs_only(workspace, two_runs):
    one, other = workspace.compare.runs(two_runs).runs
    assert [(share.hits, share.total) for share in one.plausible_at.values()] == [(1, 4), (1, 4)]
    assert [(share.hits, share.total) for share in other.plausible_at.values()] == [(1, 4), (2, 4)]
    assert {k: mean.value for k, mean in other.pass_at.items()} == {1: 0.25, 2: 0.5}
    assert (one.own_bugs, other.own_bugs) == (5, 5)
    assert other.seconds_for_each == other.seconds / 3  # of its own bugs: all the time went into all of them


def test_a_bug_with_fewer_candidates_counts_at_every_k_when_the_run_is_done(workspace, started):
    run_id, folder = started("benchmark", "candidates=5")
    emit_bug(folder, "b/one", "-")
    emit_bug(folder, "b/five", "+----")
    emit_bug(folder, "b/waits", "-?")
    workspace.tick()
    assert workspace.patches.totals(run_id).plausible_at[5].total == 1  # more may come
    folder.append("state", state="done", result={})
    workspace.tick()
    totals = workspace.patches.totals(run_id)
    assert {k: (share.hits, share.total) for k, share in totals.plausible_at.items()} == {1: (1, 3), 5: (1, 2)}
    assert {k: mean.bugs for k, mean in totals.pass_at.items()} == {1: 3, 5: 1}


def test_what_a_fixed_bug_took_is_of_the_same_k_as_the_row(workspace, two_runs):
    for k, fixed in ((1, 2), (2, 3)):  # of the second run's own bugs
        other = workspace.compare.runs(two_runs, k).runs[1]
        assert other.costs_of_each == other.costs.for_each(fixed)


def test_none_is_fixed_among_the_first_and_none_took_anything(workspace, started):
    runs = []
    for _ in range(2):
        run_id, folder = started("benchmark", "candidates=2")
        emit_bug(folder, "b/late", "-+")
        folder.append("state", state="done", result={})
        runs.append(run_id)
    workspace.tick()
    assert [run.costs_of_each for run in workspace.compare.runs(runs, 1).runs] == [None, None]
    assert None not in [run.costs_of_each for run in workspace.compare.runs(runs, 2).runs]


def test_a_run_that_scored_nothing_is_named(workspace, two_runs, started):
    run_id, folder = started("benchmark")
    folder.append("state", state="failed", error="the service is away", cause="outside")
    workspace.tick()
    with pytest.raises(UserError, match=rf"run {run_id} \(.*\) has scored no bug: it is failed"):
        workspace.compare.runs([two_runs[0], run_id])
    with pytest.raises(UserError, match=f"run {run_id} has no patches: it is failed"):
        workspace.patches.export(run_id, "csv")


def test_runs_of_one_model_have_names_that_tell_them_apart(workspace, started):
    runs = []
    for more in (["generator=beam"], ["generator=sampling"], ["generator=sampling"], ["model=starter-adapter"]):
        run_id, folder = started("benchmark", "candidates=1", *more)
        emit_bug(folder, "b/one", "+")
        folder.append("state", state="done", result={})
        runs.append(run_id)
    workspace.tick()
    first, *others, last = distinct_names(workspace.compare.runs(runs).runs)
    model = first.removesuffix(", beam")
    assert others == [f"{model}, sampling, run {number}" for number in runs[1:3]]
    assert last == "starter-adapter"


def test_k_can_be_chosen_up_to_what_all_runs_have(workspace, two_runs):
    assert workspace.compare.runs(two_runs, 1).pair.only_second == 1
    with pytest.raises(UserError, match="choose a k from 1 to 2, not 3"):
        workspace.compare.runs(two_runs, 3)
    with pytest.raises(UserError, match="not 0"):
        workspace.compare.runs(two_runs, 0)


def test_bugs_by_kind(workspace, two_runs):
    groups = workspace.compare.runs(two_runs).groups("kind")
    assert [(group.name, group.bugs, group.repaired) for group in groups] == [
        ("off_by_one", 3, (1, 2)),
        ("guard", 1, (0, 0)),
    ]
    assert [group.name for group in workspace.compare.runs(two_runs).groups("cwe")] == ["not known"]
    with pytest.raises(UserError, match="kind, cwe, language, lines, project, not 'colour'"):
        workspace.compare.runs(two_runs).groups("colour")


def test_the_overlap_of_runs(workspace, two_runs):
    assert workspace.compare.runs(two_runs).overlap == [((False, False), 2), ((True, True), 1), ((False, True), 1)]


def test_bugs_are_grouped_by_project_where_any_is_known(workspace, started, two_runs):
    assert "project" not in workspace.compare.runs(two_runs).groupings
    newer, folder = started("benchmark", "candidates=2")
    for bug_id, more in {"both": {"project": "Lang"}, "first": {"project": "Math"}, "neither": {}}.items():
        emit_bug(folder, f"b/{bug_id}", "-+", **more)
    workspace.tick()
    compared = workspace.compare.runs([two_runs[0], newer])  # the older run does not know the projects
    assert "project" in compared.groupings
    assert [(group.name, group.bugs, group.repaired) for group in compared.groups("project")] == [
        ("Lang", 1, (1, 1)),
        ("Math", 1, (0, 1)),
        ("not known", 1, (0, 1)),
    ]


def test_more_than_two_runs_have_no_p_value(workspace, started, two_runs):
    third, folder = started("benchmark", "candidates=2")
    emit_bug(folder, "b/first", "+-")
    workspace.tick()
    compared = workspace.compare.runs([*two_runs, third])
    assert compared.pair is None
    assert compared.runs[2].seconds is None  # it has not ended
    assert compared.overlap == [((False, False, True), 1)]


@pytest.mark.parametrize("runs", [[], [1], [1, 1], list(range(1, 11))])
def test_how_many_runs_can_be_compared(workspace, runs):
    with pytest.raises(UserError, match="choose 2 to 8 different benchmark runs"):
        workspace.compare.runs(runs)


def test_runs_that_cannot_be_compared(workspace, started, two_runs):
    with pytest.raises(UserError, match="there is no run 99"):
        workspace.compare.runs([two_runs[0], 99])
    chat, folder = started("chat", "bug=x")
    folder.append("state", state="done", result={})
    with pytest.raises(UserError, match="is a chat run, which has no patches to compare"):
        workspace.compare.runs([two_runs[0], chat])
    other, folder = started("benchmark", "candidates=2")
    emit_bug(folder, "c/elsewhere", "+-")
    workspace.tick()
    with pytest.raises(UserError, match="no bug in common"):
        workspace.compare.runs([two_runs[0], other])


def test_a_bug_whose_tests_tell_nothing_is_not_scored(workspace, started, two_runs):
    other, folder = started("benchmark", "candidates=2")
    emit_bug(folder, "b/both", "+-", buggy_code="plausible")
    emit_bug(folder, "b/first", "+-", span=(3, 2))
    workspace.tick()
    compared = workspace.compare.runs([two_runs[0], other])
    assert [bug.bug_id for bug in compared.bugs if bug.is_common] == ["b/first"]


def test_a_bug_that_a_run_sets_aside_is_not_in_common(workspace, started, two_runs):
    third, folder = started("benchmark", "candidates=2")
    emit_bug(folder, "b/both", "++")
    emit_bug(folder, "b/neither", "--")
    folder.append(
        "bug", id="b/both", language="java", path="A.java", start=1, end=1, buggy="", fixed="", skipped="no JDK"
    )
    workspace.tick()
    compared = workspace.compare.runs([two_runs[0], third])
    assert [(bug.bug_id, bug.repaired) for bug in compared.bugs if bug.is_common] == [("b/neither", (False, False))]


def test_cells_are_the_first_candidates(workspace, two_runs):
    first, second = two_runs
    cells = workspace.compare.cells(two_runs, ["b/both"], 2)
    assert cells == {
        (first, "b/both"): {1: "plausible", 2: "test_failed"},
        (second, "b/both"): {1: "test_failed", 2: "plausible"},
    }
