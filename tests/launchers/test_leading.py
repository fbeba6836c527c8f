"""What becomes of the shards of a run when its leading worker is stopped, with a leader and shards that are objects."""

from __future__ import annotations

import pytest

from engine.launchers.leading import Leading
from engine.run_inputs import Inputs
from engine.rundir import RunDir


class Shards:
    """A launcher of workers elsewhere, and their leading worker, which starts another one for each that was killed."""

    name = "elsewhere"

    def __init__(self, run, handles):
        self.run, self.at_work = run, {*handles.values()}
        self.is_asked, self.is_leading, self.is_cut, self.started = False, True, False, 0
        (run.path / "shards").mkdir()
        run.write_handles(handles)

    def stop(self, handle, run_dir, *, force):
        if handle == "leader":
            self.is_asked = True
            self.is_leading = self.is_leading and not force
        elif self.is_cut:
            raise ConnectionError("gpu1 cannot be reached")
        elif force:
            self.at_work.discard(handle)
            if self.is_leading and not self.is_asked:
                self._start(int(run_dir.name))

    def _start(self, number):
        self.started += 1
        self.at_work.add(f"new {self.started}")
        self.run.write_handles(self.run.handles() | {number: f"new {self.started}"})

    def is_alive(self, handle):
        if handle == "leader" and self.is_asked and not self.at_work:
            self.is_leading = False
        return self.is_leading


@pytest.fixture
def shards(tmp_path):
    return Shards(RunDir.create(tmp_path / "runs" / "7", {}, Inputs()), {1: "a", 2: "b", 3: "c"})


@pytest.fixture
def leading(shards, monkeypatch):
    made = Leading(shards, 4)
    monkeypatch.setattr(made, "_here", shards)
    return made


def test_a_leader_that_is_killed_starts_no_shard_again(shards, leading):
    leading.stop("leader", shards.run.path, force=True)
    assert (shards.at_work, shards.is_leading) == (set(), False)


def test_a_shard_that_is_just_being_started_is_killed_too(shards, leading, monkeypatch):
    asked = shards.stop

    def stop(handle, run_dir, *, force):
        if handle == "leader" and not shards.is_asked:
            asked(handle, run_dir, force=force)
            shards._start(4)  # its launcher takes it only now
        else:
            asked(handle, run_dir, force=force)

    monkeypatch.setattr(shards, "stop", stop)
    leading.stop("leader", shards.run.path, force=True)
    assert shards.at_work == set()


def test_a_kill_that_does_not_arrive_is_tried_again(shards, leading):
    shards.is_cut = True
    with pytest.raises(OSError, match="3 shards .* cannot be killed just now: gpu1 cannot be reached"):
        leading.stop("leader", shards.run.path, force=True)
    assert shards.is_leading  # so that the supervisor asks again, and the run has not ended
    shards.is_cut = False
    leading.stop("leader", shards.run.path, force=True)
    assert (shards.at_work, shards.is_leading) == (set(), False)


def test_a_stop_that_may_save_asks_the_leader_alone(shards, leading):
    leading.stop("leader", shards.run.path, force=False)
    assert (shards.at_work, shards.is_leading, shards.is_asked) == ({"a", "b", "c"}, True, True)
