"""The table of verdicts is filtered, sorted and paged in the database; figures exclude failures of the infrastructure."""

from __future__ import annotations

import csv
import json
import os
import time
from threading import Event

import pytest
from judging import judge

from engine.control.exports import GivenUp
from engine.control.patches import BugQuery
from engine.errors import UserError
from engine.scoring import Share


def ids(workspace, run_id, **asked):
    return [row.bug_id for row in workspace.patches.page(run_id, BugQuery(**asked))[0]]


def test_known_fixes_are_identical_texts(workspace, started):
    run_id, folder = started("benchmark", "candidates=3")
    judge(folder, "b/one", ["plausible", "plausible", "test_failed"])  # the second is the known fix
    judge(folder, "b/other", ["plausible", "test_failed", "test_failed"])
    workspace.tick()
    assert workspace.patches.totals(run_id).known_fixes == 1
    known = [workspace.patches.detail(run_id, "b/one", "model", rank).is_known_fix for rank in (1, 2, 3)]
    assert known == [False, True, False]


def test_only_a_benchmark_run_has_patches_to_export(workspace, started):
    run_id, _ = started("chat", "bug=x")
    with pytest.raises(UserError, match="is a chat run, which has no patches"):
        workspace.patches.export(run_id, "csv")


def test_the_figures_leave_out_what_was_not_run(workspace, judged):
    totals = workspace.patches.totals(judged)
    assert (totals.bugs, totals.scored, totals.skipped) == (5, 3, {"no JDK found": 1})
    assert totals.plausible_at == {1: Share(1, 3), 3: Share(2, 3)}, "no k beyond the candidates"
    assert totals.outcomes["not_run"] == 3
    assert totals.control_failures == 0


def test_a_known_fix_that_fails_is_counted(workspace, started):
    run_id, folder = started()
    judge(folder, "b/1", [], fix="test_failed")
    judge(folder, "b/2", [], buggy="plausible")
    judge(folder, "b/3", [], fix="not_run")
    workspace.tick()
    assert workspace.patches.totals(run_id).control_failures == 2


def test_the_table_filters_sorts_searches_and_pages(workspace, judged):
    assert ids(workspace, judged) == ["b/down", "b/easy", "b/hard", "b/java", "b/lost"]
    assert ids(workspace, judged, show="plausible") == ["b/easy", "b/hard"]
    assert ids(workspace, judged, show="none_plausible") == ["b/down", "b/lost"]
    assert ids(workspace, judged, show="skipped") == ["b/java"]
    assert ids(workspace, judged, search="guard") == ["b/hard"]
    assert ids(workspace, judged, search="%") == []
    assert ids(workspace, judged, language="java") == ["b/java"]
    assert ids(workspace, judged, sort="first", show="plausible", descending=True) == ["b/hard", "b/easy"]
    assert ids(workspace, judged, sort="count")[0] == "b/easy"
    assert ids(workspace, judged, page=2, size=2) == ["b/hard", "b/java"]
    assert ids(workspace, judged, page=9, size=2) == ["b/lost"], "the last page, where so many are not there"


def test_a_bug_is_found_by_its_project_and_exported_with_it(workspace, started):
    run_id, folder = started()
    for bug_id, more in {"b/1": {"project": "Lang"}, "b/2": {}}.items():
        folder.append("bug", id=bug_id, language="java", path="A.java", start=1, end=1, buggy="a", fixed="b", **more)
        folder.append("patch", bug_id=bug_id, source="model", rank=1, text="c", verdict={"outcome": "plausible"})
    workspace.tick()
    assert ids(workspace, run_id, search="lang") == ["b/1"]
    assert [row.project for row in workspace.patches.page(run_id)[0]] == ["Lang", ""]
    rows = csv.DictReader(workspace.patches.export(run_id, "csv").open(newline=""))
    assert [(row["bug_id"], row["project"]) for row in rows] == [("b/1", "Lang"), ("b/2", "")]


def test_a_row_has_its_controls_and_its_cells_in_rank_order(workspace, judged):
    row = workspace.patches.page(judged, BugQuery(search="easy"))[0][0]
    assert (row.known_fix, row.buggy_code) == ("plausible", "test_failed")
    assert row.cells == ((1, "plausible"), (2, "test_failed"), (3, "plausible"))
    assert (row.first_plausible, row.n_plausible) == (1, 2)


def test_one_patch_in_full(workspace, judged):
    detail = workspace.patches.detail(judged, "b/hard", "model", 3)
    assert detail.diff == "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x = 1\n+x = 3\n"
    assert detail.neighbours[:3] == (("known_fix", 0), ("buggy_code", 0), ("model", 1))
    with pytest.raises(UserError, match="has no candidate 9"):
        workspace.patches.detail(judged, "b/hard", "model", 9)


def test_a_prompt_that_was_shortened_has_both_its_lengths(workspace, started):
    run_id, folder = started()
    judge(folder, "b/long", ["plausible"])
    common = {"language": "python", "path": "a.py", "start": 1, "end": 1, "buggy": "x = 1\n", "fixed": "x = 2\n"}
    folder.append("bug", id="b/long", prompt_tokens=498, whole_tokens=1730, **common)
    workspace.tick()
    row = workspace.patches.page(run_id)[0][0]
    detail = workspace.patches.detail(run_id, "b/long", "model", 1)
    assert (row.prompt_tokens, row.whole_tokens) == (detail.prompt_tokens, detail.whole_tokens) == (498, 1730)


def test_exports_contain_every_patch_and_no_formula(workspace, judged):
    rows = list(csv.DictReader(workspace.patches.export(judged, "csv").open()))
    lines = [json.loads(line) for line in workspace.patches.export(judged, "jsonl").open()]
    assert len(rows) == len(lines) == 20
    diffs = [row["diff"] for row in rows if row["diff"]]
    assert len(diffs) > 10
    assert {diff.partition("\n")[0] for diff in diffs} == {"'--- a/a.py"}, "a spreadsheet would compute with it"
    assert {row["outcome"] for row in rows} >= {"plausible", "timeout", "not_run"}
    with pytest.raises(UserError, match="one of csv, jsonl, parquet"):
        workspace.patches.export(judged, "exe")


def test_a_formula_in_a_cell_is_inert(workspace, started):
    run_id, folder = started()
    judge(folder, "=HYPERLINK(1)", ["plausible"])
    workspace.tick()
    row = next(csv.DictReader(workspace.patches.export(run_id, "csv").open()))
    assert row["bug_id"] == "'=HYPERLINK(1)"


def test_a_run_without_patches_has_nothing_to_export(workspace, started):
    run_id, _ = started()
    with pytest.raises(UserError, match="has no patches yet"):
        workspace.patches.export(run_id, "csv")


def test_a_failed_export_leaves_no_file_and_two_at_once_do_not_conflict(workspace, judged, home, monkeypatch):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        paths = set(pool.map(lambda _: workspace.patches.export(judged, "jsonl"), range(8)))
    assert [len([json.loads(line) for line in path.open()]) for path in paths] == [20]
    monkeypatch.setattr("engine.control.exported.unified", lambda *texts: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        workspace.patches.export(judged, "csv")
    assert [path.name for path in (home / "exports").iterdir()] == [f"run-{judged}.jsonl"]


def test_a_download_ends_when_nobody_waits_and_has_a_file_of_its_own(workspace, judged, home):
    paths = {workspace.patches.download(judged, "csv", Event()) for _ in range(2)}
    assert len(paths) == 2
    assert len({path.read_text() for path in paths}) == 1
    given_up = Event()
    given_up.set()
    with pytest.raises(GivenUp):
        workspace.patches.download(judged, "csv", given_up)
    assert {path for path in (home / "exports").rglob("*") if path.is_file()} == paths


def test_what_a_killed_server_left_is_removed(workspace, judged, home):
    kept = workspace.patches.export(judged, "csv")
    workspace.patches.download(judged, "csv", Event())
    young, old, part = home / "exports" / "a.tmp", home / "exports" / "b.tmp", home / "uploads" / "x.csv.part"
    part.parent.mkdir()
    for path in (young, old, part):
        path.touch()
    os.utime(old, (time.time() - 90_000,) * 2)
    workspace.claim("here")
    workspace.tidy()
    assert {path for path in home.glob("*/**/*") if path.is_file() and "runs" not in path.parts} == {kept, young}


def test_an_export_says_which_bugs_are_not_scored(workspace, started):
    run_id, folder = started()
    judge(folder, "b/1", ["plausible"], fix="test_failed")
    judge(folder, "b/2", ["plausible"])
    workspace.tick()
    rows = [json.loads(line) for line in workspace.patches.export(run_id, "jsonl").open()]
    assert {row["bug_id"]: row["not_scored"] for row in rows} == {
        "b/1": "the known fix does not pass its tests here (test_failed)", "b/2": "",
    }  # fmt: skip
    assert workspace.patches.totals(run_id).plausible_at[1] == Share(1, 1)


@pytest.fixture
def judged_then_set_aside(workspace, started):
    """A run that judged a bug, was stopped, and sets the bug aside after it was resumed: the JDK is gone."""
    run_id, folder = started("benchmark", "candidates=3")
    judge(folder, "b/kept", ["plausible", "test_failed", "test_failed"])
    judge(folder, "b/java", ["plausible", "timeout", "plausible"])
    folder.append(
        "bug", id="b/java", language="java", path="A.java", start=1, end=1, buggy="x = 1\n", fixed="x = 2\n",
        skipped="no JDK found: install openjdk-17-jdk-headless",
    )  # fmt: skip
    workspace.tick()
    return run_id


def test_a_bug_that_is_set_aside_later_counts_no_more(workspace, judged_then_set_aside):
    totals = workspace.patches.totals(judged_then_set_aside)
    assert (totals.bugs, totals.scored, totals.known_fixes) == (2, 1, 0)
    assert totals.plausible_at == {1: Share(1, 1), 3: Share(1, 1)}
    assert totals.outcomes == {"plausible": 1, "test_failed": 2}
    rows = list(csv.DictReader(workspace.patches.export(judged_then_set_aside, "csv").open()))
    assert {row["bug_id"]: row["not_scored"][:22] for row in rows} == {"b/kept": "", "b/java": "set aside: no JDK foun"}


def test_bugs_are_set_aside_for_the_same_reasons_as_the_worker_counts(workspace, started):
    run_id, folder = started("benchmark")
    for number in (2049, 3001):
        folder.append("bug", id=f"b/{number}", language="python", path="a.py", start=1, end=1, buggy="", fixed="",
                    skipped=f"too_long: {number} tokens")  # fmt: skip
    workspace.tick()
    assert workspace.patches.totals(run_id).skipped == {"too_long": 2}
