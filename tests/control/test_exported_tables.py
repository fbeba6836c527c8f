"""Our own tables, and those for a paper: what is in them, and that a run which is imported again has the same figures."""

from __future__ import annotations

import csv
import json
import re

import pyarrow.parquet as pq
import pytest
from judging import judge

from engine.benchmarks.pocket import Pocket
from engine.candidates import by_bug, read_candidates
from engine.errors import UserError
from engine.exchange.exported import PatchRow
from engine.rundir import Inputs
from engine.scoring import Share
from engine.specs import parse
from engine.unified import applied
from engine.work.validate import validate
from engine.work.validation import _against

POCKET = [bug for bug in Pocket(Pocket.Params()).bugs() if bug.language == "python"]


def exported(workspace, run_id, form):
    return workspace.patches.export(run_id, form)


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_three_tables_have_the_same_cells(workspace, judged):
    rows = lines(exported(workspace, judged, "jsonl"))
    assert tuple(rows[0]) == PatchRow._fields
    assert pq.read_table(exported(workspace, judged, "parquet")).to_pylist() == rows
    text = list(csv.DictReader(exported(workspace, judged, "csv").open(newline="")))
    assert [row["outcome"] for row in text] == [row["outcome"] for row in rows]


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_our_own_tables_come_back_as_candidates_with_their_verdicts(workspace, judged, form):
    found = by_bug(read_candidates(exported(workspace, judged, form)))
    assert {bug: [each.row["outcome"] for each in of_bug] for bug, of_bug in found.items()} == {
        "b/down": ["not_run"] * 3,
        "b/easy": ["plausible", "test_failed", "plausible"],
        "b/hard": ["compile_error", "test_failed", "plausible"],
        "b/lost": ["timeout", "no_patch", "test_failed"],
    }
    assert {each.way for of_bug in found.values() for each in of_bug} == {"patch"}
    assert applied("x = 1\n", found["b/easy"][0].text, "a.py") == "x = 1\n", "it is the buggy code itself"
    assert found["b/lost"][1].text is not None, "that it has no patch is its verdict"
    assert found["b/easy"][2].text.startswith("--- a/a.py\n"), "without the apostrophe of a CSV file"


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_an_exported_run_that_is_imported_again_has_the_same_figures(workspace, started, finished, form):
    run_id, folder = started("benchmark", "candidates=3")
    for bug in POCKET[:2]:
        folder.append("bug", id=bug.id, language="python", path=bug.path, start=bug.span.start, end=bug.span.end,
                      buggy=bug.buggy, fixed=bug.fixed, kind=bug.kind, cwe=bug.cwe)  # fmt: skip
        texts = (bug.buggy, bug.fixed + "\n\n", None)
        for rank, (text, outcome) in enumerate(zip(texts, ("test_failed", "plausible", "no_patch"), strict=True), 1):
            verdict = {"outcome": outcome, "duration_s": 0.25, "sandbox": "bubblewrap 0.8.0", "isolation": "isolated"}
            folder.append("patch", bug_id=bug.id, source="model", rank=rank, text=text, verdict=verdict,
                          completion=f"=SUM({rank})" if rank < 3 else "", score=-0.5 / rank, tokens_written=10 * rank,
                          tokens_read=7, **_against(bug, text))  # fmt: skip
    finished(run_id)
    table = exported(workspace, run_id, form)
    again, folder = started("validate", f"file={table}", "keep_verdicts=true")
    finished(again, **validate(parse(workspace.runs.row(again).spec), Inputs(), folder))
    before, after = (workspace.patches.totals(each) for each in (run_id, again))
    assert (after.costs.tokens_written, after.costs.tokens_read) == (120, 42)
    assert (after.costs_of_each.tokens_written, after.orders) == (before.costs_of_each.tokens_written, before.orders)
    assert before.orders, "the orders by score are known"
    assert after.plausible_at == before.plausible_at == {1: Share(0, 2), 3: Share(2, 2)}
    untold = {"run", "model", "failed"}
    first, second = (lines(exported(workspace, each, "jsonl")) for each in (run_id, again))
    for one, other in zip(first, second, strict=True):
        assert {key: one[key] for key in one.keys() - untold} == {key: other[key] for key in one.keys() - untold}


@pytest.mark.parametrize(("name", "wrong"), [("tokens_written", "many"), ("score", [1])])
def test_a_number_that_is_none_is_named_with_its_line(tmp_path, name, wrong):
    row = {"bug_id": "b/1", "source": "model", "rank": 1, "outcome": "plausible", "diff": "", name: wrong}
    (file := tmp_path / "rows.jsonl").write_text(json.dumps(row))
    with pytest.raises(UserError, match=f"rows.jsonl, line 1: {name} should be a number, got"):
        read_candidates(file)


def test_a_bug_that_was_not_scored_comes_back_as_not_run(workspace, started):
    run_id, folder = started()
    judge(folder, "b/1", ["plausible"], fix="test_failed")
    workspace.tick()
    (candidate,) = read_candidates(exported(workspace, run_id, "csv"))
    assert candidate.row["outcome"] == "not_run"
    assert "the known fix does not pass" in candidate.row["reason"]


def test_a_table_for_a_paper_counts_as_the_page_does_and_escapes_every_name(workspace, started):
    run_id, folder = started("benchmark", "candidates=5")
    judge(folder, "b/1", ["plausible"] * 5, kind="off_by_one & 50 % \\input{x}")
    judge(folder, "b/2", ["test_failed"] * 5, kind="other")
    judge(folder, "b/3", ["test_failed"] * 4 + ["plausible"], kind="other")
    workspace.tick()
    text = exported(workspace, run_id, "latex").read_text()
    rows = [line.strip() for line in text.splitlines() if "&" in line]
    assert rows == [
        r"Kind of fault & Bugs & plausible@1 & plausible@5 & exact@5 \\",
        r"other & 2 & 0 (0.0\,\%) & 1 (50.0\,\%) & 0 (0.0\,\%) \\",
        r"off\_by\_one \& 50 \% \textbackslash{}input\{x\} & 1 & 1 (100.0\,\%) & 1 (100.0\,\%) & 1 (100.0\,\%) \\",
        r"all & 3 & 1 (33.3\,\%) & 2 (66.7\,\%) & 1 (33.3\,\%) \\",
    ]
    assert text.count("{") == text.count("}")
    assert "bugs with a plausible patch among the first $k$;" in text
    assert r"\begin{tabular}{lrrrr}" in text
    assert workspace.patches.totals(run_id).plausible_at == {1: Share(1, 3), 5: Share(2, 3)}


def test_a_table_for_a_paper_has_matches_by_tree_where_all_are_known(workspace, started):
    run_id, folder = started("benchmark", "candidates=2")
    for bug, kind, trees in (
        ("b/1", "one", (False, True)),
        ("b/2", "one", (False, False)),
        ("b/3", "two", (True, False)),
    ):
        judge(folder, bug, ["plausible"] * 2, kind=kind)
        for rank, is_known in enumerate(trees, 1):
            folder.append("patch", bug_id=bug, source="model", rank=rank, text=f"x = {rank} # again\n",
                          verdict={"outcome": "plausible"}, is_known_tree=is_known)  # fmt: skip
    judge(folder, "b/4", ["plausible"] * 2, kind="two", fix="test_failed")  # not scored, so it makes nothing unknown
    workspace.tick()

    def rows():
        written = exported(workspace, run_id, "latex").read_text().splitlines()
        return [re.sub(r" \(.*?\)", "", line).strip(" \\").split(" & ") for line in written if "&" in line]

    assert rows() == [
        ["Kind of fault", "Bugs", "plausible@1", "plausible@2", "exact@2", "tree@2"],
        ["one", "2", "2", "2", "0", "1"],
        ["two", "1", "1", "1", "0", "1"],
        ["all", "3", "3", "3", "0", "2"],
    ]
    totals = workspace.patches.totals(run_id)
    assert (totals.exact_at[1], totals.tree_at[1]) == (Share(0, 3), Share(1, 3)), "the page says the same"
    judge(folder, "b/5", ["test_failed"] * 2, kind="two")
    workspace.tick()
    assert [row[-1] for row in rows()] == ["tree@2", "1", "--", "--"], "of b/5 the trees are not known"
