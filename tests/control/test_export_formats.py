"""Every format of the one table: what is in the file, what other tools read from it, and what comes back from it."""

from __future__ import annotations

import csv
import errno
import json
import re
import shlex
import zipfile
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from judging import judge
from typer.testing import CliRunner

from engine.benchmarks.pocket import Pocket
from engine.candidates import by_bug, read_candidates
from engine.control.workspace import Workspace
from engine.errors import UserError
from engine.exchange.bundle import repeat_command
from engine.exchange.exported import PatchRow
from engine.exchange.forms import FORMS
from engine.rundir import Inputs, RunDir
from engine.scoring import Share
from engine.shell.cli import app
from engine.specs import parse
from engine.unified import applied
from engine.work.validate import validate
from engine.work.validation import _against

POCKET = [bug for bug in Pocket(Pocket.Params()).bugs() if bug.language == "python"]


def exported(workspace, run_id, form):
    return workspace.patches.export(run_id, form)


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("form", FORMS)
def test_every_format_is_written_or_says_for_which_benchmark_it_is(workspace, judged, finished, form):
    finished(judged)
    if form in [each.name for each in workspace.patches.forms(judged)]:
        path = exported(workspace, judged, form)
        assert path.suffix == FORMS[form].ending
        assert path.stat().st_size > 100
    else:
        with pytest.raises(UserError, match=f"{form} is for runs of humaneval.*, and run 1 is one of pocket"):
            exported(workspace, judged, form)


def test_no_two_formats_have_the_same_file(workspace, judged, finished):
    finished(judged)
    fitting = workspace.patches.forms(judged)
    assert len({exported(workspace, judged, form.name) for form in fitting}) == len(fitting) >= 6


@pytest.fixture
def finished(workspace):
    """Let the worker of a run say that it is done."""

    def finish(run_id, **result):
        RunDir(Path(workspace.runs.row(run_id).folder)).append("state", state="done", result=result)
        workspace.tick()

    return finish


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
        ["Kind of fault", "Bugs", "plausible@1", "exact@1", "tree@1"],
        ["one", "2", "2", "0", "0"],
        ["two", "1", "1", "0", "1"],
        ["all", "3", "3", "0", "1"],
    ]
    totals = workspace.patches.totals(run_id)
    assert (totals.exact_at[1], totals.tree_at[1]) == (Share(0, 3), Share(1, 3)), "the page says the same"
    judge(folder, "b/5", ["test_failed"] * 2, kind="two")
    workspace.tick()
    assert [row[-1] for row in rows()] == ["tree@1", "0", "--", "--"], "of b/5 the trees are not known"


def test_swe_bench_gets_one_prediction_for_each_bug(workspace, judged):
    rows = lines(exported(workspace, judged, "swe-bench"))
    assert [tuple(row) for row in rows] == [("instance_id", "model_name_or_path", "model_patch")] * 4
    assert [row["instance_id"] for row in rows] == ["b/down", "b/easy", "b/hard", "b/lost"]
    assert {row["model_name_or_path"] for row in rows} == {"starter"}
    assert all(row["model_patch"] == "" for row in rows), "the first candidate of each is the buggy code itself"


def test_elle_elle_aime_gets_what_its_exporter_counts(workspace, judged):
    rows = {row["identifier"]: row for row in lines(exported(workspace, judged, "elle-elle-aime"))}
    assert rows["easy"].keys() == {
        "identifier", "buggy_code", "fixed_code", "prompt_strategy", "prompt", "ground_truth", "generation", "evaluation",
    }  # fmt: skip
    assert [(each["test"], each["compile"]) for each in rows["hard"]["evaluation"]] == [
        (False, False), (False, True), (True, True),
    ]  # fmt: skip
    assert rows["down"]["evaluation"][0]["test"] is None
    assert rows["easy"]["evaluation"][1]["exact_match"] is True
    assert rows["easy"]["ground_truth"] == "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n"


def test_repairbench_gets_its_totals_and_our_means_beside_them(workspace, started, finished):
    run_id, folder = started("benchmark", "candidates=3")
    judge(folder, "defects4j/Chart-1", ["plausible"])
    judge(folder, "defects4j/Lang-3", ["test_failed", "test_failed", "timeout"])
    judge(folder, "defects4j/Lang-4", ["not_run", "not_run", "not_run"])
    workspace.tick()
    assert "repairbench" not in [form.name for form in workspace.patches.forms(run_id)], "it has not ended"
    finished(run_id)
    total = json.loads(exported(workspace, run_id, "repairbench").read_text())
    counted = (total["num_patches"], total["num_plausible_patches"], total["num_ast_match_patches"])
    assert counted == (4, 1, 1), "what was not run is left out"
    assert (total["plausible@1"], total["ast_match@1"]) == (0.25, 0.25), "of all candidates"
    assert (total["plausible_mean@1"], total["ast_match_mean@1"]) == (0.5, 0.167), "of each bug's"
    assert (total["num_bugs_with_plausible_candidates"], total["bugs_with_plausible_candidates"]) == (1, ["Chart-1"])
    assert (total["num_bugs_with_ast_match_candidates"], total["bugs_with_ast_match_candidates"]) == (1, ["Lang-3"])
    unknown = ("prompt_tokens", "completion_tokens", "total_tokens", "cost")
    assert [total[name] for name in unknown] == [None] * 4
    assert total["formulas"].keys() == {"@1", "mean@1"}


def humaneval(started, workspace):
    run_id, folder = started("benchmark", "candidates=3")
    prompt = 'def one():\n    """1"""\n'
    folder.append("bug", id="humaneval/3", language="python", path="one.py", start=3, end=3,
                buggy=f"{prompt}    pass\n", fixed=f"{prompt}    return 1\n")  # fmt: skip
    answers = [("plausible", "    return 1\n"), ("timeout", "    while 1: pass\n"), ("no_patch", None)]
    for rank, (outcome, body) in enumerate(answers, 1):
        folder.append("patch", bug_id="humaneval/3", source="model", rank=rank, text=body and prompt + body,
                    completion="said", verdict={"outcome": outcome})  # fmt: skip
    workspace.tick()
    with workspace._database.write() as session:
        run = session.get_one(type(workspace.runs.row(run_id)), run_id)
        run.spec = {**run.spec, "benchmark": {"name": "humaneval"}}
    return run_id, prompt


def test_human_eval_and_evalplus_get_a_row_for_each_candidate(workspace, started):
    run_id, prompt = humaneval(started, workspace)
    assert lines(exported(workspace, run_id, "humaneval")) == [
        {"task_id": "HumanEval/3", "completion": "    return 1\n", "passed": True, "result": "passed"},
        {"task_id": "HumanEval/3", "completion": "    while 1: pass\n", "passed": False, "result": "timed out"},
        {"task_id": "HumanEval/3", "completion": "said", "passed": False, "result": "failed: no_patch"},
    ]
    assert [row["solution"] for row in lines(exported(workspace, run_id, "evalplus"))] == [
        f"{prompt}    return 1\n", f"{prompt}    while 1: pass\n", "said",
    ]  # fmt: skip


def test_a_bundle_gives_the_same_figures_in_another_home(workspace, judged, finished, tmp_path):
    finished(judged, sandbox="none")
    with zipfile.ZipFile(exported(workspace, judged, "bundle")) as bundle:
        names = bundle.namelist()
        figures = json.loads(bundle.read("figures.json"))
        for name in names:
            bundle.extract(name, tmp_path / "results")
    assert names == sorted(names)
    assert {"README.md", "spec.json", "inputs.json", "events.jsonl", "patches.jsonl", "environment.json"} < set(names)
    assert len(lines(tmp_path / "results" / "patches.jsonl")) == 20
    other = Workspace(tmp_path / "other")
    taken = other.take_in(tmp_path / "results")
    found, wanted = other.patches.totals(taken), workspace.patches.totals(judged)
    untimed = {"costs": None, "costs_of_each": None}  # how long this run took is in no event of it
    assert replace(found, **untimed) == replace(wanted, **untimed)
    shares = {k: vars(share) for k, share in other.patches.totals(taken).plausible_at.items()}
    assert {int(k): share for k, share in figures["plausible_at"].items()} == shares
    assert figures["by_kind"]["missing_guard"]["scored"] == 1
    other.close()


def test_the_same_run_gives_the_same_bytes(workspace, judged, finished):
    finished(judged)
    first = exported(workspace, judged, "bundle").read_bytes()
    assert exported(workspace, judged, "bundle").read_bytes() == first


def test_a_disk_that_is_full_while_patches_are_compressed_is_reported(workspace, judged, finished, monkeypatch):
    def full(part, piece):
        if part.name == "patches.jsonl":
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(part, piece)

    finished(judged)
    real = zipfile._ZipWriteFile.write
    monkeypatch.setattr(zipfile._ZipWriteFile, "write", full)
    monkeypatch.setattr(zipfile._ZipWriteFile, "name", property(lambda part: part._zinfo.filename), raising=False)
    with pytest.raises(OSError, match="No space left"):
        exported(workspace, judged, "bundle")


def test_a_run_that_goes_on_is_not_bundled(workspace, judged, home):
    with pytest.raises(UserError, match="run 1 has not ended; bundle is for whole runs"):
        exported(workspace, judged, "bundle")
    assert "bundle" not in [form.name for form in workspace.patches.forms(judged)]
    assert not (home / "exports").exists()


def test_the_command_that_repeats_a_benchmark_run_is_one(workspace, judged, finished, tmp_path, monkeypatch):
    finished(judged)
    with zipfile.ZipFile(exported(workspace, judged, "bundle")) as bundle:
        text = bundle.read("README.md").decode()
        for name in bundle.namelist():
            bundle.extract(name, tmp_path)
    (command,) = re.findall(r"^    (repair-studio benchmark .*)$", text, re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    words = [word for word in shlex.split(command)[1:] if word != "--wait"]
    done = CliRunner().invoke(app, [*words, "--json", "--home", str(tmp_path / "again")])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["spec"]["candidates"] == 3


@pytest.mark.parametrize(("text", "is_packed"), [('{"bug_id": "b/easy", "lines": ""}\n', True), ("secret\n", False)])
def test_the_file_that_was_tested_is_packed_only_if_it_holds_patches(
    workspace, judged, finished, tmp_path, text, is_packed
):
    finished(judged)
    (tmp_path / "named.jsonl").write_text(text)
    with workspace._database.write() as session:
        run = session.get_one(type(workspace.runs.row(judged)), judged)
        run.spec = parse({"kind": "validate", "file": str(tmp_path / "named.jsonl")}).model_dump(mode="json")
    with zipfile.ZipFile(exported(workspace, judged, "bundle")) as bundle:
        assert ("patches-tested.jsonl" in bundle.namelist()) is is_packed
        assert ("repair-studio validate patches-tested.jsonl" in bundle.read("README.md").decode()) is is_packed


def test_the_command_that_repeats_a_validation_names_the_file_of_the_bundle():
    spec = parse(
        {"kind": "validate", "file": "/far/away.jsonl", "benchmark": "pocket", "maker": "some body", "seed": 3}
    )
    words = shlex.split(repeat_command(spec.model_dump(mode="json"), "patches-tested.jsonl"))
    assert words[:3] == ["repair-studio", "validate", "patches-tested.jsonl"]
    assert 'maker="some body"' in words
    assert not [word for word in words if "away" in word]
