"""A run with a strategy is marked wherever its figures are shown, and gives no estimate for draws from one prompt."""

from __future__ import annotations

import json
from zipfile import ZipFile

import pytest

from engine import attempts
from engine.errors import UserError
from engine.scoring import Share
from engine.shell import comparison, follow
from engine.spec_files import read_spec

FIRST = "def add(a, b):\n    <hole>\n"
TOLD = "    # tried: return a * b\n    # test_add: expected 3, got 2\n"
SECOND = f"def add(a, b):\n{TOLD}    <hole>\n"


def emit(folder, bug_id, outcomes, prompts=()):
    """A bug with a patch for each outcome."""
    same = {"bug_id": bug_id}
    folder.append(
        "bug", id=bug_id, language="python", path="a.py", kind="guard", start=1, end=1, buggy="x\n", fixed="y\n"
    )
    controls = [("known_fix", "plausible"), ("buggy_code", "test_failed")]
    for source, outcome in controls:
        folder.append("patch", **same, source=source, rank=0, text=source, verdict={"outcome": outcome})
    for rank, outcome in enumerate(outcomes, 1):
        prompt = prompts[rank - 1] if prompts else ""
        text = {"text": f"{rank}\n", "completion": f"{rank}", "prompt": prompt, "score": -rank / 10}
        folder.append("patch", **same, source="model", rank=rank, verdict={"outcome": outcome}, **text)


@pytest.fixture
def told(workspace, started):
    """Of four bugs one is repaired by attempt 1, one by 3, one never, and the tests of one could not be run again."""
    run_id, folder = started("benchmark", "candidates=3", "strategy=test_feedback")
    emit(folder, "b/at-once", ["plausible"], [FIRST])
    emit(folder, "b/third", ["test_failed", "test_failed", "plausible"], [FIRST, SECOND, SECOND])
    emit(folder, "b/never", ["test_failed", "test_failed"], [FIRST, SECOND])
    emit(folder, "b/broken", ["test_failed", "not_run"], [FIRST, SECOND])
    result = {
        "plausible_at": {"1": 1, "3": 2},
        "counted_at": {"1": 4, "3": 3},
        "scored": 4,
        "strategy": "test_feedback",
    }
    folder.append("state", state="done", result=result)
    workspace.tick()
    return run_id


@pytest.fixture
def once(workspace, started):
    run_id, folder = started("benchmark", "candidates=3")
    for bug_id, outcomes in {"at-once": "p--", "third": "---", "never": "--p", "broken": "---"}.items():
        emit(folder, f"b/{bug_id}", [{"p": "plausible", "-": "test_failed"}[each] for each in outcomes])
    folder.append("state", state="done", result={})
    workspace.tick()
    return run_id


def test_bugs_are_counted_by_the_attempt_that_repaired_them(workspace, told):
    totals = workspace.patches.totals(told)
    assert totals.by_attempt == {1: Share(1, 4), 2: Share(1, 3), 3: Share(2, 3)}
    assert (totals.strategy, totals.at(3)) == ("test_feedback", "repaired by attempt 3")
    assert (totals.pass_at, totals.orders) == ({}, {}), "they are no draws from one prompt"
    assert workspace.runs.get(told).outcome == "2 of 3 bugs repaired by attempt 3 (test_feedback)"


def test_a_run_of_one_prompt_is_as_it_was(workspace, once):
    totals = workspace.patches.totals(once)
    assert (totals.strategy, totals.by_attempt, totals.at(3)) == ("", {}, "plausible@3")
    assert totals.pass_at.keys() == {1, 3}
    assert "generated" in totals.orders


def test_a_patch_is_kept_with_what_was_told_before_it(workspace, told, once):
    second = workspace.patches.detail(told, "b/third", "model", 2)
    assert (second.prompt, second.told) == (SECOND, TOLD)
    first = workspace.patches.detail(told, "b/third", "model", 1)
    assert (first.prompt, first.told) == (FIRST, "")
    assert workspace.patches.detail(once, "b/third", "model", 2).prompt == ""


def test_a_comparison_says_which_run_makes_attempts(workspace, told, once, capsys):
    compared = workspace.compare.runs([once, told])
    assert [run.strategy for run in compared.runs] == ["", "test_feedback"]
    assert [bool(run.pass_at) for run in compared.runs] == [True, False]
    assert (compared.pair.both, compared.pair.only_first, compared.pair.only_second) == (1, 1, 1)
    latex = compared.as_latex()
    assert "starter, one prompt" in latex
    assert "attempts, each after the verdict on the one before (test\\_feedback)" in latex
    comparison.show_comparison(compared, follow.Console(width=200), as_json=False)
    said = capsys.readouterr().out
    assert f"run {told} makes attempts (test_feedback): repaired by attempt 3, and no pass@k" in said
    assert f"run {once} makes attempts" not in said


def test_a_sweep_does_not_take_attempts_for_draws(workspace, told, once):
    figures = workspace.sweeps.compared([once, told]).figures
    assert figures["plausible@3"] == (0.5, None)
    assert figures["repaired by attempt 3"] == (None, 2 / 3)


@pytest.mark.parametrize("form", ["repairbench", "elle-elle-aime"])
def test_programs_that_estimate_from_draws_are_given_none(workspace, told, once, form):
    with pytest.raises(UserError, match="attempts that depend on each other"):
        workspace.patches.export(told, form)
    assert form not in {each.name for each in workspace.patches.forms(told)}
    assert form in {each.name for each in workspace.patches.forms(once)}


def test_other_exports_have_the_number_of_each_attempt_and_name_the_strategy(workspace, told):
    rows = [json.loads(line) for line in workspace.patches.export(told, "jsonl").read_text().splitlines()]
    assert [row["rank"] for row in rows if (row["bug_id"], row["source"]) == ("b/third", "model")] == [1, 2, 3]
    with ZipFile(workspace.patches.export(told, "bundle")) as bundle:
        figures, readme = json.loads(bundle.read("figures.json")), bundle.read("README.md").decode()
    assert (figures["strategy"], figures["pass_at"]) == ("test_feedback", {})
    assert "- repaired by attempt 3: 2 of 3 bugs" in readme
    assert "plausible@3" not in readme


def test_the_shell_prints_each_attempt(workspace, told, once, capsys):
    follow.show_run(workspace, workspace.runs.get(told), as_json=False)
    said = capsys.readouterr().out
    assert "by_attempt" in said
    assert "plausible_at" not in said
    follow.show_run(workspace, workspace.runs.get(once), as_json=False)
    said = capsys.readouterr().out
    assert "plausible_at" in said
    assert "by_attempt" not in said


def test_the_memory_of_writing_is_that_of_longer_prompts_and_of_draws_one_by_one(workspace):
    def needs(*settings):
        return workspace.generation(read_spec("benchmark", "", ["candidates=200", *settings])).needs

    beams, told = needs(), needs("strategy=test_feedback")
    assert told.cache > beams.cache, "its prompts are longer"
    drawn = needs("generator=sampling"), needs("generator=sampling", "strategy=test_feedback")
    assert drawn[1].cache < drawn[0].cache, "and not 200 of them at a time"


def test_a_strategy_of_a_package_that_is_gone_still_makes_attempts():
    assert attempts.strategy_of({"kind": "benchmark", "strategy": {"name": "gone"}}) == "gone"
    assert attempts.strategy_of({"kind": "benchmark", "strategy": {"name": "single_shot"}}) == ""
    assert attempts.strategy_of({"kind": "benchmark"}) == "", "a run of an earlier version"
    assert attempts.strategy_of({"kind": "chat", "strategy": {"name": "test_feedback"}}) == ""
