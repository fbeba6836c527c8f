"""Shards that go on elsewhere when their leading worker was killed: the run says so, and its removal ends them."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import UserError
from engine.run_inputs import Inputs
from engine.rundir import RunDir
from engine.spec_files import read_spec
from storage.tables import Run


@pytest.fixture
def led(workspace, mute):
    """A run in shards of another machine whose leading worker is not there any more."""
    run_id = workspace.runs.submit(read_spec("benchmark", "", ["shards=3"]))
    folder = RunDir.create(Path(workspace.runs.row(run_id).folder), workspace.runs.row(run_id).spec, Inputs())
    (folder.path / "shards").mkdir()
    folder.write_handles({1: "a", 3: "c"})
    with workspace._database.write() as session:
        run = session.get_one(Run, run_id)
        run.state, run.started_at, run.handle = "running", 1000.0, "an earlier boot:1:1"
    return run_id


def test_a_run_whose_leader_died_says_what_goes_on(workspace, led):
    workspace.tick()
    run = workspace.runs.row(led)
    assert run.state == "interrupted"
    assert "2 shards of it may go on elsewhere: resume finds them again, and deleting the run ends them" in run.error


def test_a_run_is_deleted_once_its_shards_are_ended(workspace, led, mute, monkeypatch):
    workspace.tick()
    asked = mute.stop

    def cut(handle, run_dir, *, force):
        raise ConnectionError("gpu1 cannot be reached")

    monkeypatch.setattr(mute, "stop", cut)
    with pytest.raises(UserError, match="has workers elsewhere, which would go on: .*gpu1 cannot be reached; delete"):
        workspace.edits.delete(led)
    folder = Path(workspace.runs.row(led).folder)
    assert folder.exists()
    monkeypatch.setattr(mute, "stop", asked)
    workspace.edits.delete(led)
    assert mute.all_asked == ["force", "force"]
    assert not folder.exists()
