"""A run's folder gives the same rows again: in a new home, in its own, any number of times."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.control.workspace import Workspace
from engine.errors import UserError
from engine.rundir import RunDir
from engine.scoring import Share

VERSIONS = Path(__file__).resolve().parents[1] / "storage" / "versions"
KINDS = {"train": {"0001": 2, "0002": 2}, "benchmark": {"0001": 4, "0002": 3}, "chat": {"0001": 7, "0002": 4}}
VERDICT = {"outcome": "plausible"}
BUG = {"id": "b/1", "language": "python", "path": "a.py", "start": 1, "end": 1, "buggy": "x\n", "fixed": "y\n"}


@pytest.mark.parametrize("version", ["0001", "0002"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_folders_of_earlier_versions_can_be_taken_in(workspace, home, version, kind):
    number = KINDS[kind][version]
    shutil.copytree(VERSIONS / version / "runs" / str(number), home / "runs" / str(number))
    assert workspace.take_in(home / "runs" / str(number)) == number, "it keeps the number it had in this home"
    run = workspace.runs.get(number)
    # The first version closed a question with another field, which is one line that today is passed over.
    assert (run.kind, run.broken_lines) == (kind, int((kind, version) == ("chat", "0001")))
    assert run.state in ("done", "stopped")
    assert run.started_at < run.ended_at
    if kind == "train":
        assert workspace.runs.metrics(number)["loss"]
        assert run.name in [entry.name for entry in workspace.models.list()]
    elif kind == "benchmark":
        totals = workspace.patches.totals(number)
        assert totals.bugs == totals.scored > 1
        assert {str(k): share.hits for k, share in totals.plausible_at.items()} == run.result["plausible_at"]
    else:
        turns = [workspace.chats.view(row.id).turns for row, _ in workspace.chats.list()]
        assert turns[0][0].role == "user"
        assert len(turns[0]) > 2


def test_a_folder_from_elsewhere_gets_a_new_number_and_stays_where_it_is(workspace, started, tmp_path):
    started()
    folder = shutil.copytree(VERSIONS / "0002" / "runs" / "3", tmp_path / "3")
    number = workspace.take_in(folder)
    assert number == 2
    assert workspace.runs.get(number).folder == str(folder)
    assert workspace.take_in(folder) == number, "once more: the same run"
    assert len(workspace.runs.list()) == 2


def test_taking_in_again_doubles_nothing_and_keeps_reviews(workspace, started):
    run_id, folder = started("benchmark", "candidates=1")
    folder.emit("bug", **BUG)
    folder.emit("metric", step=1, values={"loss": 1.0})
    for source, rank, text in (("known_fix", 0, "y\n"), ("buggy_code", 0, "x\n"), ("model", 1, "y\n")):
        verdict = {"outcome": "test_failed"} if source == "buggy_code" else VERDICT
        folder.emit("patch", bug_id="b/1", source=source, rank=rank, text=text, verdict=verdict)
    folder.emit("state", state="done", result={"sandbox": "bubblewrap 0.8.0"})
    workspace.tick()
    workspace.patches.review(run_id, "b/1", "model", 1, reviewer="ada", verdict="correct")
    before = workspace.patches.totals(run_id)
    assert workspace.take_in(folder.path) == run_id
    assert workspace.patches.totals(run_id) == before
    assert (before.plausible_at, before.reviewed, before.outcomes) == (
        {1: Share(1, 1)},
        {"correct": 1},
        {"plausible": 1},
    )
    assert workspace.runs.metrics(run_id) == {
        "loss": [(1, 1.0, pytest.approx(workspace.runs.get(run_id).ended_at, abs=60))]
    }
    assert workspace.runs.get(run_id).state == "done"


def test_a_run_whose_worker_had_not_ended_can_go_on(workspace, tmp_path, home):
    copied = shutil.copytree(VERSIONS / "0002" / "runs" / "3", tmp_path / "3")
    lines = (copied / "events.jsonl").read_bytes().splitlines(keepends=True)
    (copied / "events.jsonl").write_bytes(b"".join(lines[:-1]))
    number = workspace.take_in(copied)
    run = workspace.runs.get(number)
    assert (run.state, run.cause) == ("interrupted", "outside")
    assert "resume continues" in run.error
    workspace.runs.resume(number)
    assert workspace.runs.get(number).state == "queued"


def test_only_the_folder_of_a_run_that_has_ended_is_taken_in(workspace, started, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"not a run's folder: it has no spec\.json, inputs\.json, events\.jsonl"):
        workspace.take_in(tmp_path / "empty")
    run_id, folder = started()
    with pytest.raises(UserError, match=f"run {run_id} is starting"):
        workspace.take_in(folder.path)
    with RunDir(folder.path).held(), pytest.raises(UserError, match="a worker is running"):
        workspace.take_in(folder.path)


def test_all_runs_come_back_after_the_database_was_lost(workspace, home):
    for number in (2, 3, 4):
        shutil.copytree(VERSIONS / "0002" / "runs" / str(number), home / "runs" / str(number))
    workspace.close()
    (home / "studio.db").unlink()
    again = Workspace(home)
    numbers = [again.take_in(folder) for folder in sorted((home / "runs").iterdir())]
    kinds = [again.runs.get(number).kind for number in numbers]
    again.close()
    assert (numbers, kinds) == ([2, 3, 4], ["train", "benchmark", "chat"])
