"""What pages see of a run: which one is ahead of it in the queue."""

from __future__ import annotations

from engine.control.views import run_views
from storage.tables import Run


def test_the_newest_runs_of_some_kinds_are_known_by_name(workspace, started):
    for kind in ("benchmark", "dataset", "benchmark"):
        started(kind)
    assert [run.id for run in workspace.runs.newest()] == [3, 2, 1]
    assert [run.id for run in workspace.runs.newest(["benchmark", "chat"])] == [3, 1]
    only = workspace.runs.newest(["dataset"], limit=1)[0]
    assert (only.kind, only.name, only.state) == ("dataset", "dataset-2", "queued")


def run(number, kind, state, **more):
    return Run(id=number, place=number, kind=kind, name=f"run {number}", state=state, spec={}, created_at=0.0, **more)


def test_a_queued_run_knows_the_one_ahead_of_it():
    runs = [run(6, "train", "queued"), run(5, "chat", "running"), run(4, "merge", "queued"), run(3, "train", "running"),
            run(2, "chat", "queued"), run(1, "train", "done")]  # fmt: skip
    assert [each.ahead for each in run_views(runs, runs)] == [4, None, 3, None, None, None]


def test_a_resumed_run_of_an_old_number_waits_for_what_is_at_work():
    runs = [run(6, "train", "running"), run(1, "train", "queued")]
    assert [each.ahead for each in run_views(runs, runs)] == [None, 6]


def test_a_run_without_anything_before_it_starts():
    waiting = [run(1, "train", "queued")]
    assert run_views(waiting, waiting)[0].ahead is None


def test_a_run_in_a_list_of_one_kind_knows_what_of_another_kind_is_ahead_of_it():
    merge, training = run(2, "merge", "queued"), run(1, "train", "running")
    assert run_views([merge], [training, merge])[0].ahead == 1


def test_a_run_for_another_machine_is_behind_those_for_that_one_only():
    runs = [run(1, "benchmark", "running"), run(2, "benchmark", "running", launcher="ssh"),
            run(3, "train", "queued", launcher="ssh"), run(4, "train", "queued", launcher="torchrun"),
            run(5, "train", "queued", launcher="ssh"), run(6, "train", "queued", launcher="slurm")]  # fmt: skip
    views = run_views(runs, runs)
    assert [each.ahead for each in views] == [None, None, 2, 1, 3, None]
    assert [each.waits for each in views] == [
        "", "", "queued behind run 2", "queued behind run 1", "queued behind run 3", "starts in a moment",
    ]  # fmt: skip
