"""Shards elsewhere end with a leading worker that fails or is stopped, also those that it has not come to yet."""

from __future__ import annotations

import pytest

from engine.errors import UserError
from engine.run_inputs import Inputs
from engine.rundir import RunDir
from engine.work.__main__ import work


class Elsewhere:
    """Workers of an earlier leader: one ends when it is asked, and one can be asked at the second try only."""

    def __init__(self):
        self.at_work, self.asked = {"a", "b", "c"}, []

    def is_alive(self, handle):
        return handle in self.at_work

    def stop(self, handle, run_dir, *, force):
        self.asked.append((handle, run_dir.name, force))
        if handle == "b" and self.asked.count(("b", "2", False)) == 1:
            raise ConnectionError("gpu1 cannot be reached")
        self.at_work.discard(handle)


@pytest.mark.parametrize("error", [SystemExit(143), UserError("model: is not here any more")])
def test_all_that_an_earlier_leader_started_end_with_this_one(tmp_path, monkeypatch, error):
    spec = {"kind": "benchmark", "model": "x", "shards": 4}
    run = RunDir.create(tmp_path / "runs" / "7", spec, Inputs())
    (run.path / "shards").mkdir()
    run.write_handles({1: "a", 2: "b", 3: "c"})
    launcher = Elsewhere()
    monkeypatch.setattr("engine.plugins.LAUNCHERS.create", lambda params: launcher)

    def reading(*_):
        raise error

    monkeypatch.setattr("engine.work.__main__.inputs_of", reading)
    work(run)
    assert launcher.at_work == set()
    assert sorted(launcher.asked) == [("a", "1", False), ("b", "2", False), ("b", "2", False), ("c", "3", False)]
    assert [event.payload.state for event in run.all_events()][-1] in ("stopped", "failed")
    assert run.handles() == {}
