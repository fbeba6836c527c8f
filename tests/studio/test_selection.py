"""Which run, page and actions are shown, tested without a page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.control.side_by_side import ComparedBug
from engine.control.views import RunView
from studio.html.basics import run_strip
from studio.pages import compare, monitor, patches

RUN = RunView(1, "benchmark", "mine on pocket", "done", {"model": "/models/mine", "benchmark": {"name": "pocket"}}, None,
              None, 0.0, 1.0, 2.0, None, "", 1.0, "", "", {})  # fmt: skip


def test_the_run_that_is_wanted_is_shown_else_the_newest_that_has_started():
    queued = replace(RUN, id=3, state="queued", started_at=None)
    older = replace(RUN, id=2)
    assert patches.chosen_run([queued, older, RUN], 1) == 1
    assert patches.chosen_run([queued, older, RUN], 9) == 2
    assert patches.chosen_run([queued], 0) == 3
    assert patches.chosen_run([], 0) is None


def test_a_benchmark_run_is_called_by_its_model_and_its_benchmark():
    assert patches.run_label(RUN) == "run 1  ·  mine on pocket"


@pytest.mark.parametrize(("total", "size", "pages"), [(0, 15, 1), (15, 15, 1), (16, 15, 2), (5, 0, 5), (120, 10**6, 2)])
def test_the_pages_of_a_table(total, size, pages):
    shown = patches.Shown(" gcd ", "plausible", "python", "kind", 2, size)
    assert shown.pages(total) == pages
    assert (shown.query.search, shown.query.page) == ("gcd", 2)


def test_the_newest_two_finished_runs_on_one_benchmark_are_compared():
    other = replace(RUN, id=2, spec={"benchmark": {"name": "quixbugs"}})
    running = replace(RUN, id=3, state="running")
    assert compare.newest_pair([replace(RUN, id=5), running, other, replace(RUN, id=1)]) == [1, 5]
    assert compare.newest_pair([running, other, RUN]) == []


@pytest.mark.parametrize(
    ("text", "found"), [("5,6", [5, 6]), ("6, 5,6,x,-1", [6, 5]), ("", []), ("1,2,3,4,5,6,7,8,9", [*range(1, 9)])]
)
def test_the_runs_that_an_address_names(text, found):
    assert compare.numbers(text) == found


def test_the_bugs_of_one_combination_of_runs():
    def bug(bug_id, *repaired):
        return ComparedBug(bug_id, "python", "off_by_one", "CWE-193", "", "1 line", repaired, (None,) * len(repaired))

    bugs = [bug("one", True, False), bug("two", True, True), bug("three", None, True)]
    assert [each.bug_id for each in compare.fitting(bugs, "10", "")] == ["one"]
    assert [each.bug_id for each in compare.fitting(bugs, "", " THREE ")] == ["three"]
    assert len(compare.fitting(bugs, "", "cwe-193")) == 3
    assert compare.fitting(bugs, "01", "") == []


def test_what_trains_is_shown_first_then_what_runs_then_the_newest():
    training = replace(RUN, id=2, kind="train", state="running")
    running = replace(RUN, id=3, state="running")
    assert monitor.first_choice([running, training, RUN]) == 2
    assert monitor.first_choice([running, RUN]) == 3
    assert monitor.first_choice([RUN]) == 1
    assert monitor.first_choice([]) == 0


LEARNING = "?tab=datasets&use=builder.verdicts.runs:1,model:/models/mine"


@pytest.mark.parametrize(
    ("kind", "made", "addresses"),
    [
        ("train", "adapter", ["?tab=patches&use=model:mine", "?tab=merge&use=adapter:mine", "?tab=chat&use=model:mine",
                              "?tab=train&again=1"]),
        ("train", "merged", ["?tab=patches&use=model:mine", "?tab=chat&use=model:mine", "?tab=train&again=1"]),
        ("train", "", ["?tab=train&again=1"]),
        ("dataset", "", ["?dataset=mine", "?tab=train&use=dataset:mine", "?tab=datasets&again=1"]),
        ("benchmark", "", ["?patches=1", LEARNING, "?tab=patches&again=1"]),
        ("chat", "", [LEARNING]),
    ],
)  # fmt: skip
def test_what_can_be_done_with_a_run(kind, made, addresses):
    found = monitor.actions(replace(RUN, kind=kind, name="mine"), made)
    assert [address for _, address in found] == addresses


def test_a_run_says_that_some_of_its_events_could_not_be_read():
    assert 'role="alert"' not in run_strip(RUN)
    shown = run_strip(replace(RUN, error="first", unread="2 lines <b>"))
    assert shown.endswith(
        '<p class="complaint" role="alert">first</p><p class="complaint" role="alert">2 lines &lt;b&gt;</p></div>'
    )
