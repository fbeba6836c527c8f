"""Asking for runs: what is refused, in which words, and what the queue does with the rest."""

from __future__ import annotations

import shlex
import shutil

import pytest

from engine.assets import STARTER_ADAPTER
from engine.errors import OutsideFailure, UserError
from engine.specs import parse, read_spec


def submit(workspace, kind, *overrides, **options):
    return workspace.runs.submit(read_spec(kind, "", list(overrides)), **options)


@pytest.mark.parametrize(
    ("kind", "override", "sentence"),
    [
        ("train", "dataset=nothing", "no data set called 'nothing'; known: none yet"),
        ("benchmark", "model=gpt", "model: no model or folder called 'gpt'; known models: starter, starter-adapter"),
        ("benchmark", 'model=""', "model: choose a model"),
        ("benchmark", "benchmark=quixbugs", "no folder is named; run `git clone"),
        ("benchmark", 'benchmark={"name": "quixbugs", "folder": "/nowhere"}', "no QuixBugs checkout in /nowhere"),
        ("chat", "benchmark=quixbugs", "no folder is named; run `git clone"),
        ("merge", "adapter=starter", "adapter: 'starter' is no adapter but a base model"),
        ("merge", "name=starter", "there is already a model called 'starter'"),
        ("merge", "name=train-7", "'train-7' is how runs without a name are called"),
    ],
)
def test_a_name_that_means_nothing_is_refused_before_the_start(workspace, kind, override, sentence):
    with pytest.raises(UserError, match=sentence):
        submit(workspace, kind, override)
    assert workspace.runs.list() == []


def test_a_taken_name_is_refused_also_while_it_is_only_queued(workspace):
    submit(workspace, "dataset", "name=mine")
    with pytest.raises(UserError, match="already a data set called 'mine'"):
        submit(workspace, "dataset", "name=mine")


def test_one_heavy_run_at_a_time_in_the_order_asked(workspace, mute):
    first, second = submit(workspace, "benchmark"), submit(workspace, "benchmark")
    workspace.tick()
    assert [workspace.runs.get(i).state for i in (first, second)] == ["starting", "queued"]


def test_a_chat_waits_for_no_slot(workspace, mute):
    submit(workspace, "benchmark")
    chat = submit(workspace, "chat", "bug=x")
    workspace.tick()
    assert workspace.runs.get(chat).state == "starting"


def test_a_run_waits_for_the_one_it_needs_and_falls_with_it(workspace, started):
    first, folder = started("dataset", "name=mine")
    second = submit(workspace, "train", "dataset=mine", after=first)
    folder.emit("state", state="failed", error="no rows", cause="user")
    workspace.tick()
    run = workspace.runs.get(second)
    assert run.state == "failed"
    assert run.error == f"run {first} (mine), whose result it needs, failed"


def test_a_queued_run_stops_at_once_and_a_running_one_is_asked_then_forced(workspace, started, mute, monkeypatch):
    running, folder = started()
    queued = submit(workspace, "benchmark")
    workspace.runs.stop(queued)
    assert workspace.runs.get(queued).state == "stopped"
    workspace.runs.stop(running)
    workspace.tick()
    assert (workspace.runs.get(running).state, mute.asked) == ("stopping", "please")
    monkeypatch.setattr("engine.control.supervise.PATIENCE_S", 0)
    workspace.tick()
    assert mute.asked == "force"
    mute.alive = False
    workspace.tick()
    assert workspace.runs.get(running).state == "stopped"


def test_a_worker_that_vanished_is_said_to_be_killed_and_can_go_on(workspace, started, mute):
    run_id, folder = started()
    with workspace._database.write() as session:
        from storage.tables import Run

        session.get_one(Run, run_id).handle = "another boot"
    mute.alive = False
    workspace.tick()
    run = workspace.runs.get(run_id)
    assert (run.state, run.error) == (
        "interrupted",
        "the machine was restarted while it ran; resume goes on from there",
    )
    mute.alive = True
    workspace.runs.resume(run_id)
    workspace.tick()
    assert workspace.runs.get(run_id).state == "starting"


def test_a_finished_run_does_not_go_on(workspace, started):
    run_id, folder = started()
    folder.emit("state", state="done", result={})
    workspace.tick()
    with pytest.raises(UserError, match="is done; only a stopped, failed or interrupted run can go on"):
        workspace.runs.resume(run_id)


def test_a_relative_folder_means_the_same_wherever_the_run_is_started(workspace, tmp_path, monkeypatch):
    shutil.copytree(STARTER_ADAPTER, tmp_path / "here" / "mine")
    monkeypatch.chdir(tmp_path / "here")
    run_id = submit(workspace, "benchmark", "model=mine")
    monkeypatch.chdir("/")
    run = workspace.runs.get(run_id)
    assert run.spec["model"] == str(tmp_path / "here" / "mine")
    assert workspace.runs.inputs(parse(run.spec)).model.kind == "adapter"
    named = submit(workspace, "benchmark", "model=starter")
    assert workspace.runs.get(named).spec["model"] == "starter"


def test_a_source_that_is_plainly_not_usable_queues_nothing(workspace, tmp_path):
    file = tmp_path / "fixes.jsonl"
    with pytest.raises(UserError, match="does not exist"):
        submit(workspace, "dataset", "builder=columns", f"builder.file={file}")
    file.write_text('{"before": "x = 1", "after": "x = 2"}')
    with pytest.raises(UserError, match="no column 'buggy_function'; its columns are: before, after"):
        submit(workspace, "dataset", "builder=columns", f"builder.file={file}")
    assert workspace.runs.list() == []


def test_no_run_starts_on_a_full_disk(workspace, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 5 << 20})())
    with pytest.raises(OutsideFailure, match="no disk space: 5 MiB free in"):
        submit(workspace, "benchmark")


def test_the_command_makes_the_same_spec_again(workspace):
    spec = read_spec("benchmark", "demo", ["limit=4"])
    words = shlex.split(workspace.runs.command(spec))
    assert words[:2] == ["repair-studio", "benchmark"]
    overrides = [words[i + 1] for i, word in enumerate(words) if word == "--set"]
    assert read_spec("benchmark", "", overrides) == spec


def test_the_log_shows_its_end(workspace, started):
    run_id, folder = started()
    folder.log.write_text("a" * 50 + "END")
    assert workspace.runs.log(run_id, 5) == "aaEND"[-5:]


def test_an_unknown_run_is_said_to_be_unknown(workspace):
    with pytest.raises(UserError, match="there is no run 7"):
        workspace.runs.get(7)
