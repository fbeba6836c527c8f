"""A run's folder gives the same rows again: in a new home, in its own, any number of times."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.control import take_in as taking
from engine.control.workspace import Workspace
from engine.errors import UserError
from engine.rundir import Inputs, RunDir
from engine.scoring import Share
from engine.shell.cli import app
from engine.specs import parse
from storage.tables import Run

VERSIONS = Path(__file__).resolve().parents[1] / "storage" / "versions"
KINDS = {"train": {"0001": 2, "0002": 2}, "benchmark": {"0001": 4, "0002": 3}, "chat": {"0001": 7, "0002": 4}}
VERDICT = {"outcome": "plausible"}
CHAT_BUG = "pocket/py-clock-format"
BUG = {"id": "b/1", "language": "python", "path": "a.py", "start": 1, "end": 1, "buggy": "x\n", "fixed": "y\n"}


@pytest.mark.parametrize("version", ["0001", "0002"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_folders_of_earlier_versions_can_be_taken_in(workspace, home, version, kind):
    number = KINDS[kind][version]
    shutil.copytree(VERSIONS / version / "runs" / str(number), home / "runs" / str(number))
    assert workspace.take_in(home / "runs" / str(number)) == number, "it keeps the number it had in this home"
    run = workspace.runs.row(number)
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
    assert workspace.runs.row(number).folder == str(folder)
    assert workspace.take_in(folder) == number, "once more: the same run"
    assert len(workspace.runs.list()) == 2


def test_taking_in_again_doubles_nothing_and_keeps_reviews(workspace, started):
    run_id, folder = started("benchmark", "candidates=1")
    folder.append("bug", **BUG)
    folder.append("metric", step=1, values={"loss": 1.0})
    for source, rank, text in (("known_fix", 0, "y\n"), ("buggy_code", 0, "x\n"), ("model", 1, "y\n")):
        verdict = {"outcome": "test_failed"} if source == "buggy_code" else VERDICT
        folder.append("patch", bug_id="b/1", source=source, rank=rank, text=text, verdict=verdict)
    folder.append("state", state="done", result={"sandbox": "bubblewrap 0.8.0"})
    workspace.tick()
    workspace.reviews.give(run_id, "b/1", "model", 1, reviewer="ada", verdict="correct")
    before = workspace.patches.totals(run_id)
    assert workspace.take_in(folder.path) == run_id
    untimed = {"costs": None, "costs_of_each": None}  # when this run began is in no event of it
    assert replace(workspace.patches.totals(run_id), **untimed) == replace(before, **untimed)
    assert (before.plausible_at, before.reviewed, before.outcomes) == (
        {1: Share(1, 1)},
        {"correct": 1},
        {"plausible": 1},
    )
    assert workspace.runs.metrics(run_id) == {
        "loss": [(1, 1.0, pytest.approx(workspace.runs.row(run_id).ended_at, abs=60))]
    }
    assert workspace.runs.row(run_id).state == "done"


def test_a_run_whose_worker_had_not_ended_can_go_on(workspace, tmp_path, home):
    copied = shutil.copytree(VERSIONS / "0002" / "runs" / "3", tmp_path / "3")
    lines = (copied / "events.jsonl").read_bytes().splitlines(keepends=True)
    (copied / "events.jsonl").write_bytes(b"".join(lines[:-1]))
    number = workspace.take_in(copied)
    run = workspace.runs.row(number)
    assert (run.state, run.cause) == ("interrupted", "outside")
    assert "resume continues" in run.error
    workspace.runs.resume(number)
    assert workspace.runs.row(number).state == "queued"


def split_folder(path, launcher):
    """The folder of a run in shards that was interrupted, with this launcher."""
    folder = RunDir.create(path, {"kind": "benchmark", "shards": 2, "launcher": launcher}, Inputs())
    folder.shard(1).path.mkdir(parents=True)
    folder.write_handles({1: '{"run": "/etc"}'})
    folder.append("state", state="running")
    return folder


@pytest.mark.parametrize("launcher", [{"name": "slurm", "prefix": "theirs"}, {"name": "ssh", "host": "theirs"}])
def test_a_strangers_launcher_is_not_used_before_somebody_chooses_one(workspace, tmp_path, home, launcher):
    folder = split_folder(tmp_path / "theirs", launcher)
    number = workspace.take_in(folder.path)
    assert folder.handles() == {}
    with pytest.raises(UserError, match=f"from {folder.path}.*'theirs'.*runs repeat {number} --set launcher=local"):
        workspace.runs.resume(number)
    repeated = CliRunner().invoke(
        app, ["runs", "repeat", str(number), "--set", "launcher.hour_price=1", "--home", str(home)]
    )
    assert "its own launcher would run what is written there" in " ".join(repeated.output.split())
    assert [run.state for run in workspace.runs.list()] == ["interrupted"]
    chosen = CliRunner().invoke(app, ["runs", "repeat", str(number), "--set", "launcher=local", "--home", str(home)])
    assert chosen.exit_code == 0, chosen.output
    assert workspace.runs.list()[0].spec["launcher"]["name"] == "local"


def test_a_run_of_this_home_goes_on_as_it_was_started(workspace, tmp_path, home):
    folder = split_folder(home / "runs" / "3", {"name": "slurm"})
    number = workspace.take_in(folder.path)
    assert folder.handles() == {1: '{"run": "/etc"}'}
    workspace.runs.resume(number)
    assert workspace.runs.row(number).state == "queued"
    other = split_folder(tmp_path / "theirs", {"name": "local"})
    (other.path / "shards").rename(tmp_path / "shards")
    (other.path / "shards").symlink_to(folder.path / "shards")
    workspace.runs.resume(workspace.take_in(other.path))
    assert folder.handles() != {}, "a link into another run's folder"


def test_a_strangers_conversation_is_not_answered_by_the_strangers_launcher(workspace, tmp_path):
    folder = chat_folder(tmp_path / "1", "x")
    spec = RunDir(folder).spec()
    (folder / "spec.json").write_text(json.dumps({**spec, "launcher": {"name": "ray", "python": "theirs"}}))
    workspace.take_in(folder)
    with pytest.raises(UserError, match="its own launcher would run what is written there"):
        workspace.chats.send(1, "hello")
    assert len(workspace.runs.list()) == 1


def chat_folder(path, text, conversation=1, question=1, turns=(), number=1):
    """The folder of a chat worker of another home that was asked one question and answered it."""
    folder = RunDir.create(path, {"kind": "chat", "bug": CHAT_BUG}, Inputs())
    folder.ask(ask="reply", conversation=conversation, question=question, bug=CHAT_BUG, turns=list(turns))
    folder.append("turn", conversation=conversation, number=number, role="assistant", text=text)
    folder.append("answered", conversation=conversation, question=question)
    folder.append("state", state="done", result={})
    return folder.path


def said(workspace):
    """Conversation -> the texts of its messages, and whether it waits for an answer."""
    views = (workspace.chats.view(row.id) for row, _ in workspace.chats.list())
    return {view.id: ([turn.text for turn in view.turns], view.is_busy or bool(view.error)) for view in views}


def test_a_strangers_conversation_of_the_same_number_is_another_one(workspace, tmp_path):
    mine, theirs = chat_folder(tmp_path / "a" / "1", "mine"), chat_folder(tmp_path / "b" / "1", "theirs")
    workspace.take_in(mine)
    workspace.take_in(theirs)
    both = {1: (["mine"], False), 2: (["theirs"], False)}
    assert said(workspace) == both
    for folder in (theirs, mine, theirs):
        workspace.take_in(folder)
    assert said(workspace) == both, "each is the same conversation again"
    later = {"number": 1, "role": "assistant", "text": "theirs"}
    go_on = chat_folder(tmp_path / "b" / "2", "theirs, later", question=2, turns=[later], number=2)
    workspace.take_in(go_on)
    assert said(workspace)[1] == (["mine"], False)


def test_a_conversation_that_went_on_with_another_worker_stays_one(workspace, home):
    before = {"number": 1, "role": "assistant", "text": "first"}
    folders = [
        chat_folder(home / "runs" / "4", "first"),
        chat_folder(home / "runs" / "7", "second", question=2, turns=[before], number=2),
    ]
    for folder in [*folders, *folders]:
        workspace.take_in(folder)
    assert said(workspace) == {1: (["first", "second"], False)}


def test_a_strangers_conversation_goes_on_under_its_number_in_that_folder(workspace, mute, tmp_path):
    workspace.take_in(chat_folder(tmp_path / "a" / "1", "mine"))
    theirs = chat_folder(tmp_path / "b" / "1", "theirs")
    run_id = workspace.take_in(theirs)
    with workspace._database.write() as session:
        session.get_one(Run, run_id).state = "running"
    workspace.chats.send(2)
    (*_, question), _ = RunDir(theirs).questions()
    assert (question["conversation"], question["question"]) == (1, 2)
    RunDir(theirs).append("delta", conversation=1, text="so far", restart=True)
    assert workspace.chats.view(2).live_text == "so far"
    wanted = workspace.runs.row(run_id).spec
    assert workspace.chats.get(workspace.chats.start(parse(wanted))).run_id != run_id, "its numbers are not ours"


def test_an_answer_to_a_question_that_was_never_asked_is_passed_over(workspace, mute, tmp_path):
    folder = RunDir(chat_folder(tmp_path / "1", "x"))
    folder.append("answered", conversation=1, question=2**53 - 1)
    workspace.take_in(folder.path)
    workspace.chats.send(1)
    assert workspace.chats.get(1).asked == 2


def long_run(path, lines=3000):
    """The folder of a finished run whose events are read in several parts."""
    folder = RunDir.create(path, {"kind": "benchmark"}, Inputs())
    folder.append("state", state="running")
    folder.append("state", state="done", result={"sandbox": "x"})
    for _ in range(lines):
        folder.append("progress", done=1, total=2, text="x" * 100)
    return folder.path


def test_what_is_being_taken_in_cannot_be_resumed_and_says_so_if_it_was_cut_off(workspace, tmp_path, monkeypatch):
    path = long_run(tmp_path / "1")
    monkeypatch.setattr(taking, "READ_BYTES", 100_000)
    read, parts = taking.ingest, []

    def cut_off(session, run, *rest):
        if len(parts) == 2:
            raise KeyboardInterrupt
        parts.append(run.state)
        read(session, run, *rest)

    monkeypatch.setattr(taking, "ingest", cut_off)
    with pytest.raises(KeyboardInterrupt):
        workspace.take_in(path)
    run = workspace.runs.row(1)
    assert (run.state, run.offset > 0) == ("incomplete", True)
    assert "take it in again" in run.error
    with pytest.raises(UserError, match="run 1 is incomplete; only stopped, failed or interrupted runs"):
        workspace.runs.resume(1)
    monkeypatch.setattr(taking, "ingest", read)
    assert workspace.take_in(path) == 1
    run = workspace.runs.row(1)
    assert (run.state, run.error, run.result) == ("done", "", {"sandbox": "x"})


def test_two_who_take_in_one_folder_at_once_do_not_get_in_each_others_way(workspace, tmp_path, monkeypatch):
    monkeypatch.setattr(taking, "READ_BYTES", 50_000)
    path = long_run(tmp_path / "1")
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(workspace.take_in, [path, path])) == [1, 1]
    assert workspace.runs.row(1).state == "done"


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
