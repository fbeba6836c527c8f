"""The order of the queue as a user changes it, and the devices that runs take."""

from __future__ import annotations

import math

import pytest
from sqlalchemy import event

from engine.errors import UserError
from engine.gpus import Gpu
from engine.launchers.local import Local
from engine.spec_files import read_spec
from storage.tables import Run

GIB = 1 << 30


@pytest.fixture
def cards(monkeypatch):
    """Give this machine two GPUs of 80 GiB."""
    two = (Gpu("H", 80 * GIB, 0), Gpu("H", 80 * GIB, 0))
    monkeypatch.setattr("engine.launchers.local.gpus", lambda: two)


@pytest.fixture
def workers(monkeypatch):
    """Let the local launcher start nothing, and say that what it started is alive."""
    environments = []
    monkeypatch.setattr(Local, "submit", lambda self, path, environment: environments.append(self._visible()) or "1")
    monkeypatch.setattr(Local, "is_alive", lambda self, handle: True)
    return environments


def asked(workspace, *settings):
    """Ask for runs with these settings of the launcher, one after the other; returns their states."""
    ids = [workspace.runs.submit(read_spec("benchmark", "", [f"launcher.{each}" for each in of])) for of in settings]
    workspace.tick()
    return [workspace.runs.get(each).state for each in ids]


def waiting(workspace):
    found = [run.id for run in workspace.runs.queued()]
    assert [run.id for run in workspace.runs.waiting()] == found
    return found


def test_waiting_runs_start_in_the_order_that_the_user_gave_them(workspace, started, finished):
    first, second, third = (started("benchmark")[0] for _ in range(3))
    fourth, _ = started("benchmark")
    assert waiting(workspace) == [second, third, fourth]
    workspace.runs.move(fourth, "first")
    workspace.runs.move(second, "down")
    assert waiting(workspace) == [fourth, third, second]
    assert [run.ahead for run in workspace.runs.queued()] == [first, fourth, third]
    finished(first)
    workspace.tick()
    assert workspace.runs.get(fourth).state == "starting"
    assert waiting(workspace) == [third, second]
    later, _ = started("benchmark")
    assert waiting(workspace) == [third, second, later], "a new run comes last"


def test_a_tick_reads_no_whole_row_of_a_run_for_which_there_is_no_room(workspace, started):
    """A thousand may wait, and a tick comes twice a second."""
    for _ in range(10):
        started("benchmark")
    loaded = []
    event.listen(Run, "load", note := lambda run, _: loaded.append(run.id))
    workspace.tick()
    event.remove(Run, "load", note)
    assert {*loaded} == {1}, "the one at work"


def test_a_run_whose_first_one_failed_fails_also_while_there_is_no_room(workspace, started, mute):
    started("benchmark")
    first, folder = started("chat", "bug=x")
    after = workspace.runs.submit(read_spec("benchmark"), after=first)
    folder.append("state", state="failed", error="by itself")
    workspace.tick()
    workspace.tick()
    assert workspace.runs.get(after).error.endswith("whose result it needs, failed")


def test_a_spec_that_sqlite_cannot_read_stops_no_other_run(workspace, mute):
    broken, other = (workspace.runs.submit(read_spec("benchmark")) for _ in range(2))
    with workspace._database.write() as session:
        run = session.get_one(Run, broken)
        run.spec = run.spec | {"limit": math.nan}
    workspace.tick()
    workspace.tick()
    assert (workspace.runs.get(broken).state, workspace.runs.get(other).state) == ("failed", "starting")


@pytest.mark.parametrize(("to", "order"), [("up", [2, 4, 3]), ("down", [2, 3, 4]), ("first", [4, 2, 3])])
def test_a_run_moves_one_place_or_to_the_front(workspace, started, to, order):
    for _ in range(4):
        started("benchmark")
    workspace.runs.move(4, to)
    assert waiting(workspace) == order


def test_only_waiting_runs_have_a_place(workspace, started):
    active, _ = started("benchmark")
    queued, _ = started("benchmark")
    with pytest.raises(UserError, match=f"run {active} is starting; only a queued run"):
        workspace.runs.move(active, "up")
    with pytest.raises(UserError, match="first, up, down, last, not 'away'"):
        workspace.runs.move(queued, "away")
    with pytest.raises(UserError, match="99"):
        workspace.runs.move(99, "up")


def test_without_a_gpu_runs_take_the_processor_one_at_a_time(workspace, workers, monkeypatch):
    monkeypatch.setattr("engine.launchers.local.gpus", tuple)
    assert asked(workspace, (), ["devices=cpu"]) == ["starting", "queued"]


def test_runs_on_different_gpus_and_on_the_processor_go_on_together(workspace, cards, workers):
    states = asked(workspace, ["devices=0"], ["devices=1"], ["devices=cpu"], ["devices=1"])
    assert states == ["starting", "starting", "starting", "queued"]
    assert [each["CUDA_VISIBLE_DEVICES"] for each in workers] == ["0", "1", ""]


def test_a_run_on_all_gpus_is_not_overtaken_by_a_later_one_on_one_of_them(workspace, cards, workers):
    assert asked(workspace, ["devices=0"], (), ["devices=1"]) == ["starting", "queued", "queued"]


def test_small_runs_share_a_gpu_while_they_fit(workspace, cards, workers):
    small = ["devices=0", "gpu_memory_gib=30"]
    assert asked(workspace, small, small, small) == ["starting", "starting", "queued"]
    assert asked(workspace, ["devices=0,1"]) == ["queued"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"devices": "2"}, "no GPU 2; this machine has GPUs 0 to 1"), ({"gpu_memory_gib": 81}, "has 80.0 GiB, not 81")],
)
def test_devices_that_are_not_there_are_refused_before_the_run_is_queued(workspace, cards, settings, said):
    overrides = [f"launcher.{name}={value}" for name, value in settings.items()]
    with pytest.raises(UserError, match=said):
        workspace.runs.submit(read_spec("benchmark", "", overrides))
    assert workspace.runs.list() == []


def test_a_run_whose_gpu_is_gone_when_its_turn_comes_fails_with_a_sentence(workspace, cards, workers, monkeypatch):
    run_id = workspace.runs.submit(read_spec("benchmark", "", ["launcher.devices=1"]))
    other = workspace.runs.submit(read_spec("benchmark", "", ["launcher.devices=cpu"]))
    monkeypatch.setattr("engine.launchers.local.gpus", tuple)
    workspace.tick()
    run = workspace.runs.get(run_id)
    assert (run.state, run.cause) == ("failed", "user")
    assert "no GPU 1; this machine has no GPU" in run.error
    assert workspace.runs.get(other).state == "starting", "the rest of the queue goes on"


@pytest.mark.parametrize("wrong", ["gpu", "0,", "-1", "0;1", ""])
def test_devices_are_all_cpu_or_numbers(wrong):
    with pytest.raises(UserError, match="devices: should be all, cpu, or numbers of GPUs"):
        read_spec("benchmark", "", [f"launcher.devices={wrong}"])
