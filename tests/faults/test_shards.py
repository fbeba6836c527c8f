"""Runs that several workers share come to the same rows as those of one, whatever is killed or stopped meanwhile."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest
from runs_to_end import ended, rows_of, until

from engine import shard_states
from engine.control.outcomes import CARDS_SINCE, GPU_SECONDS_BEFORE, WORKER_SECONDS_BEFORE, WORKERS
from engine.control.workspace import Workspace
from engine.errors import UserError
from engine.events import PatchEvent, Progress, State
from engine.launchers.local import Local, parse_handle
from engine.rundir import RunDir
from engine.spec_files import read_spec

pytestmark = pytest.mark.slow
FIGURES = ("bugs", "scored", "plausible_at", "counted_at", "patches", "outcomes", "skipped", "shortened")
BUGS_OF_FILE = ("pocket/py-stock-check", "pocket/py-tag-groups")  # in the order of the benchmark
OF_COSTS = (CARDS_SINCE, GPU_SECONDS_BEFORE, WORKERS, WORKER_SECONDS_BEFORE)  # what the result keeps for them
BUGS = ['benchmark.languages=["python"]', "model=starter-adapter"]


@pytest.fixture
def workspace(home):
    opened = Workspace(home)
    yield opened
    opened.close()


def submitted(workspace, *overrides):
    return workspace.runs.submit(read_spec("benchmark", "", [*BUGS, "candidates=4", *overrides]))


def has_begun(workspace, run_id):
    """Until some patches are tested, and others are not."""
    until(workspace, lambda: workspace.runs.row(run_id).state == "running")
    until(workspace, lambda: len(rows_of(workspace.runs.row(run_id))) > 6)


def at_work(run):
    """The process numbers of the living workers of its shards, by number."""
    folder = RunDir(Path(run.folder))
    found = {number: Local().find(folder.shard(number).path) for number in range(1, run.spec["shards"] + 1)}
    return {number: parse_handle(handle)[1] for number, handle in found.items() if handle}


def test_the_rows_are_the_same_in_any_number_of_shards(workspace):
    ids = [submitted(workspace, "limit=5", f"shards={shards}") for shards in (1, 2, 5)]
    alone, *shared = [ended(workspace, run_id) for run_id in ids]
    assert len(rows_of(alone)) == 5 * (4 + 2)
    for run, shards in zip(shared, (2, 5), strict=True):
        assert rows_of(run) == rows_of(alone)
        assert {name: run.result[name] for name in FIGURES} == {name: alone.result[name] for name in FIGURES}
        assert run.result["shards"] == shards
        folder = RunDir(Path(run.folder))
        assert sorted(int(each.name) for each in folder.path.glob("shards/[0-9]*")) == list(range(1, shards + 1))
        assert folder.handles() == {}, "a shard that is done is not asked again"
        assert shard_states.summary(shard_states.read(run.folder)) == f"{shards} shards: {shards} done"
        assert f"shard {shards}: " in folder.log.read_text()
        assert folder.inputs().weights_hash == RunDir(Path(alone.folder)).inputs().weights_hash != ""


def test_a_killed_shard_is_started_again_and_nothing_is_told_twice(workspace):
    run_id = submitted(workspace, "limit=16", "shards=2")
    has_begun(workspace, run_id)
    until(workspace, lambda: at_work(workspace.runs.row(run_id)))
    number, process = at_work(workspace.runs.row(run_id)).popitem()
    os.kill(process, signal.SIGKILL)
    run = ended(workspace, run_id)
    assert len(rows_of(run)) == 16 * (4 + 2)
    assert f"shard {number} ended early" in RunDir(Path(run.folder)).log.read_text()
    assert {each.number: each.starts for each in shard_states.read(run.folder)}[number] == 2


def test_stop_ends_all_of_it_and_resume_does_what_is_left(workspace):
    run_id = submitted(workspace, "limit=8", "shards=2")
    has_begun(workspace, run_id)
    began = time.monotonic()
    workspace.runs.stop(run_id)
    run = ended(workspace, run_id, "stopped")
    assert time.monotonic() - began < 15
    assert not at_work(run)
    assert "stopped" in {each.state for each in shard_states.read(run.folder)} <= {"stopped", "done"}
    before = rows_of(run)
    assert 6 < len(before) < 8 * (4 + 2)
    workspace.runs.resume(run_id)
    after = rows_of(ended(workspace, run_id))
    assert len(after) == 8 * (4 + 2)
    assert {key: after[key] for key in before} == before


@pytest.mark.parametrize("how", ["killed", "stopped now"])
def test_no_shard_goes_on_unseen_on_this_machine(workspace, how):
    run_id = submitted(workspace, "limit=8", "shards=2")
    has_begun(workspace, run_id)
    run = workspace.runs.row(run_id)
    if how == "killed":
        os.kill(parse_handle(run.handle)[1], signal.SIGKILL)
    else:
        workspace.runs.stop(run_id, now=True)
    run = ended(workspace, run_id, "failed" if how == "killed" else "stopped")
    until(workspace, lambda: not at_work(run), 30)
    workspace.runs.resume(run_id)
    assert len(rows_of(ended(workspace, run_id))) == 8 * (4 + 2)


def test_more_shards_than_bugs_change_nothing(workspace):
    run = ended(workspace, submitted(workspace, "limit=2", "shards=500", "candidates=1"))
    assert (run.result["bugs"], len(rows_of(run))) == (2, 2 * (1 + 2))
    assert run.result["shards"] == 2, "no worker is started for nothing"
    assert len([*Path(run.folder, "shards").glob("[0-9]*")]) == 2


def test_the_patches_of_a_file_are_shared(workspace, patches):
    ids = [workspace.runs.submit(read_spec("validate", "", [f"file={patches}", f"shards={n}"])) for n in (1, 2)]
    alone, shared = (ended(workspace, run_id) for run_id in ids)
    assert rows_of(shared) == rows_of(alone)
    left = {"seconds", "patches_per_s", "shards", "where", *OF_COSTS}
    assert {k: v for k, v in shared.result.items() if k not in left} == {
        k: v for k, v in alone.result.items() if k not in left
    }
    verdicts = [
        [json.loads(line) for line in (Path(run.folder) / "artifacts" / "verdicts.jsonl").read_text().splitlines()]
        for run in (alone, shared)
    ]
    told = [[(row["bug_id"], row["outcome"]) for row in rows] for rows in verdicts]
    assert told[0] == told[1]
    assert len(told[0]) == len(BUGS_OF_FILE) + 1
    for number, bug in enumerate(BUGS_OF_FILE, start=1):
        part = [event.payload for event in RunDir(Path(shared.folder)).shard(number).all_events()]
        assert {each.bug_id for each in part if isinstance(each, PatchEvent)} == {bug}
    with pytest.raises(UserError, match="shards: nothing is run"):
        workspace.runs.submit(read_spec("validate", "", [f"file={patches}", "shards=2", "keep_verdicts=true"]))


@pytest.fixture
def patches(tmp_path):
    """A file with a row for each of two bugs, and one for a bug that nobody knows between them."""
    path = tmp_path / "patches.jsonl"
    first, second = BUGS_OF_FILE
    path.write_text(
        "".join(json.dumps({"bug_id": bug, "patch": "x = 1\n"}) + "\n" for bug in (second, "no/bug", first))
    )
    return path


def test_a_shard_that_cannot_work_fails_the_run_with_its_own_words(workspace, tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({"buggy_function": "x = 1\n", "fixed_function": "x = 2\n"}) + "\n")
    wanted = ["builder=columns", f"builder.file={rows}", "name=rows", "shards=2"]
    run_id = workspace.runs.submit(read_spec("dataset", "", wanted))
    rows.unlink()
    run = ended(workspace, run_id, "failed")
    assert run.error.startswith("shard ")
    assert str(rows) in run.error
    assert "failed" in {each.state for each in shard_states.read(run.folder)} <= {"failed", "queued"}


def test_a_file_without_a_row_for_any_bug_fails_the_run_before_a_shard_is_started(workspace, patches):
    run_id = workspace.runs.submit(read_spec("validate", "", [f"file={patches}", "shards=2"]))
    patches.write_text(json.dumps({"bug_id": "nobody/knows", "patch": "x = 1\n"}) + "\n")
    run = ended(workspace, run_id, "failed")
    assert run.error.startswith("file: no row is for a bug of pocket")
    assert not [*Path(run.folder).glob("shards/*")]


def test_a_dataset_in_shards_is_that_of_one_worker_also_if_a_shard_is_killed(workspace):
    def build(name, shards):
        overrides = ["builder.samples=800", f"name={name}", f"shards={shards}"]
        return workspace.runs.submit(read_spec("dataset", "demo", overrides))

    alone = ended(workspace, build("alone", 1))
    run_id = build("shared", 3)
    until(workspace, lambda: workspace.runs.row(run_id).state == "running")
    folder = RunDir(Path(workspace.runs.row(run_id).folder))
    until(workspace, lambda: has_prepared(folder.shard(2)))
    os.kill(at_work(workspace.runs.row(run_id))[2], signal.SIGKILL)
    shared = ended(workspace, run_id)
    log = folder.log.read_text()
    assert "shard 2 ended early" in log
    assert "is built here" not in log, "what the shards have prepared is used"
    assert (shared.result["hash"], shared.result["rows"]) == (alone.result["hash"], alone.result["rows"])
    for name in ("left_out.jsonl", "overlap.jsonl", "report.json"):
        assert (folder.artifacts / name).read_text() == (Path(alone.folder) / "artifacts" / name).read_text()
    assert shared.result["shards"] == 3
    assert not list(folder.path.rglob("prepared.bin"))


def has_prepared(shard):
    """Whether it has done some of its part, and not all."""
    if not shard.events_path.exists():
        return False
    said = [event.payload for event in shard.all_events()]
    assert not any(isinstance(each, State) and each.state == "done" for each in said), "it was too quick to be killed"
    return any(isinstance(each, Progress) and 0 < each.done < (each.total or 0) for each in said)
