"""Rounds of rejection sampling are ordinary runs, each waiting for the one before and naming its result."""

from __future__ import annotations

import pytest

from engine.errors import UserError


def test_each_run_waits_for_the_one_before_and_names_its_result(workspace):
    group = workspace.rounds.start("starter-adapter", 2, ["benchmark.candidates=4", "train.trainer.max_steps=3"])
    runs = workspace.rounds.runs(group)
    assert [run.kind for run in runs] == ["benchmark", "dataset", "train"] * 2
    assert [run.after for run in runs] == [None, *(run.id for run in runs[:-1])]
    first, data, made, second, more, last = runs
    assert (first.spec["model"], second.spec["model"]) == ("starter-adapter", made.name)
    assert {first.spec["candidates"], second.spec["candidates"]} == {4}
    assert first.spec["generator"]["name"] == "sampling"
    assert data.spec["builder"]["runs"] == [workspace.runs.row(first.id).folder]
    assert more.spec["builder"]["runs"] == [workspace.runs.row(run.id).folder for run in (first, second)]
    assert (made.spec["dataset"], last.spec["dataset"]) == (data.name, more.name)
    assert {made.spec["model"], last.spec["model"]} == {"starter-adapter"}, "each round trains the first model anew"
    assert {made.spec["trainer"]["max_steps"], last.spec["trainer"]["max_steps"]} == {3}
    assert made.name != last.name


def test_a_second_group_has_names_of_its_own(workspace):
    groups = [workspace.rounds.start("starter", 1) for _ in range(2)]
    names = [{run.name for run in workspace.rounds.runs(group) if run.kind != "benchmark"} for group in groups]
    assert not names[0] & names[1]


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("trainer.rank=8", "names no run of a round; begin with one of benchmark., dataset., train. as in"),
        ("train", "names no run of a round"),
        ("dataset.builder.runs=[1]", "dataset.builder.runs: the rounds set this themselves"),
        ("train.model=starter", "train.model: the rounds set this themselves"),
        ("train.trainer.rank=0", "trainer.rank"),
        ("benchmark.benchmark=nowhere", "no benchmarks plug-in"),
    ],
)
def test_a_wrong_override_is_a_sentence_and_leaves_nothing_in_the_queue(workspace, override, said):
    with pytest.raises(UserError, match=said):
        workspace.rounds.start("starter", 2, [override])
    assert {run.state for run in workspace.runs.list()} <= {"stopped"}


def test_a_group_that_failed_goes_on_where_it_stopped(workspace, started, mute):
    group = workspace.rounds.start("starter", 1)
    sampled, data, made = workspace.rounds.runs(group)
    workspace.runs.stop(sampled.id, now=True)
    for _ in range(3):
        workspace.tick()
    assert [run.state for run in workspace.rounds.runs(group)] == ["stopped", "failed", "failed"]
    assert workspace.rounds.resume(group) == 3
    assert [run.state for run in workspace.rounds.runs(group)] == ["queued"] * 3
    workspace.tick()
    assert [run.state for run in workspace.rounds.runs(group)] == ["starting", "queued", "queued"]
    with pytest.raises(UserError, match="nothing to resume"):
        workspace.rounds.resume(group)
    with pytest.raises(UserError, match="there are no rounds 'rounds-9'; known: rounds-1"):
        workspace.rounds.resume("rounds-9")
