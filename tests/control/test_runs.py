"""Submitting runs: what is refused, with which message, and the order of the queue."""

from __future__ import annotations

import multiprocessing
import shlex
import shutil
from pathlib import Path

import pytest

from engine.assets import STARTER_ADAPTER
from engine.control.workspace import Workspace
from engine.errors import OutsideFailure, UserError
from engine.spec_files import read_spec
from engine.specs import parse


def submit(workspace, kind, *overrides, **options):
    return workspace.runs.submit(read_spec(kind, "", list(overrides)), **options)


@pytest.mark.parametrize(
    ("kind", "override", "sentence"),
    [
        ("train", "dataset=nothing", "no dataset 'nothing'; known: none yet"),
        ("benchmark", "model=gpt", "model: there is no model or folder 'gpt'; known models: starter, starter-adapter"),
        ("benchmark", 'model=""', "model: choose a model"),
        ("benchmark", "benchmark=quixbugs", "no folder is named; run `git clone"),
        ("benchmark", 'benchmark={"name": "quixbugs", "folder": "/nowhere"}', "no QuixBugs checkout in /nowhere"),
        ("chat", "benchmark=quixbugs", "no folder is named; run `git clone"),
        ("merge", "adapter=starter", "adapter: 'starter' is a base model, not an adapter"),
        ("merge", "name=starter", "there is already a model 'starter'"),
        ("merge", "name=train-7", "'train-7' is reserved for runs without a name"),
    ],
)
def test_a_name_that_means_nothing_is_refused_before_the_start(workspace, kind, override, sentence):
    with pytest.raises(UserError, match=sentence):
        submit(workspace, kind, override)
    assert workspace.runs.list() == []


def test_a_taken_name_is_refused_also_while_it_is_only_queued(workspace):
    submit(workspace, "dataset", "name=mine")
    with pytest.raises(UserError, match="already a dataset 'mine'"):
        submit(workspace, "dataset", "name=mine")


def test_one_heavy_run_at_a_time_in_the_order_asked(workspace, mute):
    first, second = submit(workspace, "benchmark"), submit(workspace, "benchmark")
    workspace.tick()
    assert [workspace.runs.row(i).state for i in (first, second)] == ["starting", "queued"]


def test_a_chat_waits_for_no_slot(workspace, mute):
    submit(workspace, "benchmark")
    chat = submit(workspace, "chat", "bug=x")
    workspace.tick()
    assert workspace.runs.row(chat).state == "starting"


def test_a_run_waits_for_the_one_it_needs_and_falls_with_it(workspace, started):
    first, folder = started("dataset", "name=mine")
    second = submit(workspace, "train", "dataset=mine", after=first)
    folder.append("state", state="failed", error="no rows", cause="user")
    workspace.tick()
    run = workspace.runs.row(second)
    assert run.state == "failed"
    assert run.error == f"run {first} (mine), whose result it needs, failed"


def test_a_queued_run_stops_at_once_and_a_running_one_is_asked_then_forced(workspace, started, mute, monkeypatch):
    running, folder = started()
    queued = submit(workspace, "benchmark")
    workspace.runs.stop(queued)
    assert workspace.runs.row(queued).state == "stopped"
    workspace.runs.stop(running)
    workspace.tick()
    assert (workspace.runs.row(running).state, mute.asked) == ("stopping", "please")
    monkeypatch.setattr("engine.control.supervise.SAVING_S", 0)
    workspace.tick()
    assert mute.asked == "force"
    mute.alive = False
    workspace.tick()
    assert workspace.runs.row(running).state == "stopped"


def test_a_run_whose_worker_died_has_failed_and_can_be_resumed(workspace, started, mute):
    run_id, folder = started()
    with workspace._database.write() as session:
        from storage.tables import Run

        session.get_one(Run, run_id).handle = "another boot"
    mute.alive = False
    workspace.tick()
    run = workspace.runs.row(run_id)
    assert (run.state, run.error) == (
        "interrupted",
        "the machine was restarted while it ran; resume continues from there",
    )
    mute.alive = True
    workspace.runs.resume(run_id)
    workspace.tick()
    assert workspace.runs.row(run_id).state == "starting"


def test_a_finished_run_does_not_go_on(workspace, started):
    run_id, folder = started()
    folder.append("state", state="done", result={})
    workspace.tick()
    with pytest.raises(UserError, match="is done; only stopped, failed or interrupted runs can be resumed"):
        workspace.runs.resume(run_id)


def test_a_relative_folder_means_the_same_wherever_the_run_is_started(workspace, tmp_path, monkeypatch):
    shutil.copytree(STARTER_ADAPTER, tmp_path / "here" / "mine")
    monkeypatch.chdir(tmp_path / "here")
    run_id = submit(workspace, "benchmark", "model=mine")
    monkeypatch.chdir("/")
    run = workspace.runs.row(run_id)
    assert run.spec["model"] == str(tmp_path / "here" / "mine")
    assert workspace.runs.inputs(parse(run.spec)).model.kind == "adapter"
    named = submit(workspace, "benchmark", "model=starter")
    assert workspace.runs.row(named).spec["model"] == "starter"


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


def test_an_adapter_is_trained_further_with_its_own_settings_only(workspace, dataset):
    before = len(workspace.runs.list())
    ask = ["model=starter-adapter", f"dataset={dataset}"]
    with pytest.raises(UserError) as error:
        submit(workspace, "train", *ask, "trainer.rank=16", "trainer.target_modules=q_proj,v_proj", "trainer.dora=true")
    assert str(error.value) == (
        "trainer.rank: the adapter has 32, not 16; "
        "trainer.target_modules: the adapter has all-linear, not q_proj,v_proj; "
        "trainer.dora: the adapter has false, not true; "
        "'starter-adapter' can only be trained further with its own settings: leave these out, or merge it and train "
        "the merged model"
    )
    assert len(workspace.runs.list()) == before, "nothing is queued"
    submit(workspace, "train", *ask)
    submit(workspace, "train", *ask, "trainer.rank=32", "trainer.alpha=64", "trainer.target_modules=" + ",".join(
        ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    ))  # fmt: skip
    with pytest.raises(UserError, match=r"trainer\.method: full trains every weight.*merge it first"):
        submit(workspace, "train", *ask, "trainer.method=full")


def test_the_form_shows_the_error_before_anything_is_submitted(workspace):
    with pytest.raises(UserError, match="trainer.rank: the adapter has 32, not 16"):
        workspace.preflight(read_spec("train", "", ["model=starter-adapter", "trainer.rank=16"]))
    needed = workspace.preflight(read_spec("train", "", ["model=starter-adapter"]))
    assert needed.estimate.trainable == 1_589_248


def test_the_log_shows_its_end(workspace, started):
    run_id, folder = started()
    folder.log.write_text("a" * 50 + "END")
    assert workspace.runs.log(run_id, 5) == "aaEND"[-5:]


def test_an_unknown_run_is_a_user_error(workspace):
    with pytest.raises(UserError, match="there is no run 7"):
        workspace.runs.row(7)


def _submit_all(home, names, start, results):
    workspace = Workspace(home)
    start.wait()
    for name in names:
        try:
            results.put(submit(workspace, "dataset", f"name={name}"))
        except UserError as error:
            results.put(str(error))
    workspace.close()


def test_of_fifty_runs_submitted_at_once_with_25_names_each_name_is_used_once(workspace):
    context = multiprocessing.get_context("fork")
    start, results = context.Event(), context.Queue()
    names = [f"set-{number % 25}" for number in range(50)]
    arguments = [(workspace.home, names[place::10], start, results) for place in range(10)]
    processes = [context.Process(target=_submit_all, args=each) for each in arguments]
    for process in processes:
        process.start()
    start.set()
    answers = [results.get(timeout=60) for _ in names]
    for process in processes:
        process.join(60)
    assert sum(isinstance(answer, int) for answer in answers) == 25
    assert all("there is already a dataset" in answer for answer in answers if isinstance(answer, str))
    assert sorted(run.name for run in workspace.runs.list()) == sorted(set(names))


def test_a_stopped_run_takes_its_name_back_only_while_it_is_free(workspace):
    first = submit(workspace, "dataset", "name=mine")
    workspace.runs.stop(first)
    submit(workspace, "dataset", "name=mine")
    with pytest.raises(UserError, match="already a dataset 'mine'"):
        workspace.runs.resume(first)


def test_stop_now_overrides_stop_and_save(workspace, started, mute):
    run_id, _ = started()
    workspace.runs.stop(run_id)
    for _ in range(3):
        workspace.tick()
    assert mute.all_asked == ["please"], "asked once, however often one looks"
    workspace.runs.stop(run_id, now=True)
    workspace.runs.stop(run_id)  # a late click on the other button changes nothing
    workspace.tick()
    assert mute.all_asked == ["please", "force"]


def test_a_runs_own_spec_can_be_submitted_again(workspace, started, dataset, tmp_path):
    run_id, folder = started("train", "name=again", f"dataset={dataset}")
    folder.append("state", state="done", result={})
    workspace.tick()
    spec = read_spec("train", str(folder.path / "spec.json"))
    assert spec.name == ""
    second = workspace.runs.submit(spec)
    assert workspace.runs.row(second).name == f"train-{second}"
    assert workspace.runs.row(second).spec == {**workspace.runs.row(run_id).spec, "name": ""}
    named = read_spec("train", str(folder.path / "spec.json"), ["name=other"])
    assert named.name == "other"


def test_a_run_never_gets_the_folder_of_another_whose_database_was_lost(workspace):
    for number in ("1", "4", "notes"):
        (workspace.home / "runs" / number).mkdir(parents=True)
    first, second = submit(workspace, "dataset"), submit(workspace, "dataset")
    assert (first, second) == (5, 6)
    assert [Path(run.folder).name for run in workspace.runs.list()] == ["6", "5"]
