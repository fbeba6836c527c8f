"""How a worker is started over a link that breaks, or that a user does not want to wait for any longer."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from engine import requeued
from engine.errors import OutsideFailure, UserError
from engine.events import Checkpoint
from engine.launchers import remote
from engine.launchers import ssh as ssh_module
from engine.launchers.host import Unreachable
from engine.launchers.ssh import Ssh
from engine.rundir import Inputs, RunDir

WORKER = "boot:1:1"


class Near:
    """A host that is this machine; its workers are not started, and `cut` files are copied before the link breaks."""

    name = "near"

    def __init__(self):
        self.cut, self.found = 0, []

    def ask(self, verb, **request):
        if verb == "start":
            folder = Path(request["folder"])
            self.found.append(sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()))
            RunDir(folder).events_path.touch()
            (folder / "spec.json").write_text(json.dumps(request["spec"]))
            return {"worker": WORKER}, []
        answer = remote.VERBS[verb](**json.loads(json.dumps(request)))
        return json.loads(json.dumps(answer.values)), list(answer.parts)

    def until(self, is_unwanted):
        return self

    def fill(self, folder, there, excluded):
        """As rsync: the run's own files first, those of its folders last."""
        files = sorted((each for each in Path(folder).rglob("*") if each.is_file()), key=lambda each: len(each.parents))
        wanted = [each for each in files if each.name not in (*excluded, "spec.json", "inputs.json")]
        for number, each in enumerate(wanted, start=1):
            goal = Path(there) / each.relative_to(folder)
            if not goal.exists():
                goal.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(each, goal)
            if number == self.cut:
                self.cut = 0
                raise Unreachable(self.name, "Connection reset")


@pytest.fixture
def near(tmp_path, monkeypatch):
    host = Near()
    monkeypatch.setattr(Ssh, "_host", host)
    monkeypatch.setattr(ssh_module, "RETRY_S", 0.01)
    monkeypatch.setattr(ssh_module, "GIVE_UP_S", 5.0)
    return host


@pytest.fixture
def run(tmp_path):
    return RunDir.create(tmp_path / "home" / "runs" / "7", {"kind": "train", "name": "one"}, Inputs())


@pytest.fixture
def launcher(tmp_path):
    return Ssh(Ssh.Params(host="near", folder=str(tmp_path / "far")))


def test_a_link_that_is_cut_while_a_run_goes_back_leaves_no_checkpoint_behind(near, run, launcher):
    run.emit(Checkpoint(2))
    run.log.write_text("log")
    (run.artifacts / "checkpoint-2").mkdir()
    (run.artifacts / "checkpoint-2" / "weights").write_text("w")
    near.cut = 2
    launcher.submit(run.path, {})
    assert near.found == [["artifacts/checkpoint-2/weights", "events.jsonl", "log.txt"]]


def test_a_host_that_does_not_answer_is_not_waited_for_after_a_stop(near, run, launcher):
    asked = []

    def never(verb, **request):
        asked.append(verb)
        if len(asked) == 2:
            requeued.ask_to_stop(run.path)
        raise Unreachable(near.name, "Connection timed out")

    near.ask = never
    requeued.ask_to_stop(run.path)  # of an earlier worker
    with pytest.raises(OutsideFailure, match="it was stopped while near could not be reached"):
        launcher.submit(run.path, {})
    assert len(asked) == 2


def test_a_deleted_run_is_removed_on_its_host_and_nothing_else_is(near, run, launcher, tmp_path):
    assert launcher.remover(run.path) is None, "it was never there"
    launcher.submit(run.path, {})
    there = Path(json.loads((run.path / "there.json").read_text())["folder"])
    remove = launcher.remover(run.path)
    shutil.rmtree(run.path)
    (tmp_path / "far" / "data").mkdir()
    assert there.is_dir()
    remove()
    assert sorted(each.name for each in (tmp_path / "far").rglob("*")) == ["data", "runs"]
    for other in (tmp_path / "far" / "data", tmp_path / "far" / "runs" / "..", tmp_path, there / "x-0123456789ab"):
        run.path.mkdir(parents=True, exist_ok=True)
        (run.path / "there.json").write_text(json.dumps({"folder": str(other)}))
        with pytest.raises(UserError, match="is no run's folder in .*, so it is not removed"):
            launcher.remover(run.path)()
    assert tmp_path.is_dir()
    assert Ssh(Ssh.Params(host="near", shared=True)).remover(run.path) is None
