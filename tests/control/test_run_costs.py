"""What a run costs so far: the hours that it has its machine and its GPUs, each counted once, at its launcher's prices."""

from __future__ import annotations

import json
import time

import pytest

from engine.control.costs import costs_of, machine_costs
from engine.errors import UserError
from engine.spec_files import read_spec
from engine.work.__main__ import work
from storage.tables import Run

PRICED = {"name": "local", "gpu_price": 2.0, "hour_price": 0.5, "currency": "EUR"}


def run_of(launcher=PRICED, *, result=None, **values):
    return Run(id=1, kind="train", name="x", spec={"launcher": launcher}, created_at=0.0, result=result or {},
               **{"state": "done", "started_at": 1000.0, "ended_at": 4600.0, **values})  # fmt: skip


def test_hours_of_all_cards_and_of_the_machine():
    costs = machine_costs(run_of(result={"cards": 4}))
    assert (costs.gpu_hours, costs.money, costs.currency) == (4.0, 4 * 2.0 + 0.5, "EUR")


def test_the_hours_of_all_nodes_are_paid():
    launcher = {"name": "slurm", "nodes": 4, "hour_price": 1.0}
    assert machine_costs(run_of(launcher, result={"cards": 8})).money == 4.0


def test_without_a_price_nothing_is_said_and_unknown_cards_have_none():
    assert machine_costs(run_of({"name": "local"}, result={"cards": 4})) is None
    assert machine_costs(run_of()).money is None
    assert machine_costs(run_of({"name": "local", "hour_price": 0.5})).money == 0.5


def test_a_run_at_work_costs_so_far_and_a_waiting_one_no_more():
    now = time.time()
    assert machine_costs(run_of(result={"cards": 1}, started_at=now - 3600, ended_at=None)).money == pytest.approx(
        2.5, abs=0.01
    )
    waiting = run_of(result={"cards": 1}, state="queued", started_at=None, ended_at=None)
    assert machine_costs(waiting).money == 0


def test_the_time_before_a_resume_counts_once_with_the_cards_of_then(workspace, started):
    run_id, folder = started("dataset")
    for cards, seconds in ((4, 3600.0), (2, 1800.0)):
        folder.append("state", state="running", cards=cards)
        workspace.tick()
        with workspace._database.write() as session:
            run = session.get_one(Run, run_id)
            run.spec = {**run.spec, "launcher": PRICED}
            run.state, run.started_at, run.ended_at = "stopped", 1000.0, 1000.0 + seconds
        workspace.runs.resume(run_id)
        workspace.runs.stop(run_id)
        with workspace._database.write() as session:
            session.get_one(Run, run_id).state = "starting"
    costs = machine_costs(workspace.runs.row(run_id))
    assert costs.gpu_hours == pytest.approx(4 + 1, abs=1e-3)
    assert costs.money == pytest.approx(5 * 2.0 + 1.5 * 0.5, abs=1e-2)


def test_the_cards_of_shards_count_while_these_are_at_work(workspace, started):
    run_id, folder = started("dataset")
    began = time.time()
    folder.append("state", state="running", cards=0)
    workspace.tick()
    for seq, (cards, hour) in enumerate(((4, 1), (2, 2), (0, 4)), start=2):
        line = {"seq": seq, "time": began + 3600 * hour, "event": "state", "state": "running", "cards": cards}
        with folder.events_path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        workspace.tick()
    with workspace._database.write() as session:
        run = session.get_one(Run, run_id)
        run.spec = {**run.spec, "launcher": PRICED}
        run.state, run.started_at, run.ended_at = "done", began, began + 5 * 3600
    costs = machine_costs(workspace.runs.row(run_id))
    assert costs.gpu_hours == pytest.approx(4 + 2 * 2, abs=1e-2)
    assert costs.seconds == pytest.approx(5 * 3600, abs=1)


@pytest.mark.parametrize(("launcher", "hours"), [("slurm", 3 + 2 * 2), ("ray", 3 + 2 * 2), ("local", 5), ("gone", 5)])
def test_shards_with_nodes_of_their_own_are_paid_while_they_have_them(workspace, started, launcher, hours):
    run_id, folder = started("dataset")
    began = time.time()
    folder.append("state", state="running", cards=0, workers=0)
    workspace.tick()
    for seq, (workers, hour) in enumerate(((3, 1), (2, 2), (0, 4)), start=2):
        line = {"seq": seq, "time": began + 3600 * hour, "event": "state", "state": "running", "cards": 0}
        with folder.events_path.open("a") as file:
            file.write(json.dumps(line | {"workers": workers}) + "\n")
        workspace.tick()
    with workspace._database.write() as session:
        run = session.get_one(Run, run_id)
        run.spec = {**run.spec, "shards": 4, "launcher": {"name": launcher, "hour_price": 1.0}}
        run.state, run.started_at, run.ended_at = "done", began, began + 5 * 3600
    assert machine_costs(workspace.runs.row(run_id)).money == pytest.approx(hours, abs=1e-2)


def test_figures_count_gpus_of_shards_while_these_were_at_work(workspace, started):
    run_id, folder = started("benchmark")
    began = time.time()
    folder.append("state", state="running", cards=0)
    workspace.tick()
    for seq, (cards, hour) in enumerate(((16, 0), (1, 1)), start=2):  # one of sixteen goes on for nine hours
        line = {"seq": seq, "time": began + 3600 * hour, "event": "state", "state": "running", "cards": cards}
        with folder.events_path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        workspace.tick()
    with workspace._database.write() as session:
        run = session.get_one(Run, run_id)
        run.state, run.started_at, run.ended_at = "done", began, began + 10 * 3600
        run.result = {**run.result, "gpus": 16}
        assert costs_of(session, run).gpu_hours == pytest.approx(10 * 16, abs=1e-2)  # of one worker that has them all
        run.spec = {**run.spec, "shards": 16}
        assert costs_of(session, run).gpu_hours == pytest.approx(16 + 9, abs=1e-2)


def test_the_time_until_a_machine_is_free_is_not_counted(workspace, started, mute):
    run_id, folder = started("dataset")
    mute.alive = "pending"
    workspace.tick()
    assert workspace.runs.row(run_id).started_at is None
    mute.alive = True
    folder.append("state", state="running", cards=0)
    workspace.tick()
    began = workspace.runs.row(run_id).started_at
    assert began == pytest.approx(time.time(), abs=60)
    mute.alive = "pending"  # it was pre-empted, and waits again
    workspace.tick()
    run = workspace.runs.row(run_id)
    assert run.started_at is None
    assert 0 <= run.result["seconds_before_resume"] < 60


def test_a_worker_says_how_many_cards_it_has(monkeypatch, home):
    said = []
    monkeypatch.setattr("engine.ranks.visible", lambda: (object(), object()))
    run = type("Run", (), {"emit": lambda self, event: said.append(event), "reserve_ending": lambda self: None,
                           "end": lambda self, *a, **k: None, "path": home,
                           "spec": lambda self: {"kind": "dataset"}})()  # fmt: skip
    work(run)
    assert said[0].cards == 2


def test_prices_in_two_currencies_are_refused(workspace):
    spec = read_spec("benchmark", "", ["model=served", "generator=endpoint", "generator.currency=USD",
                                       "launcher.currency=EUR", "launcher.gpu_price=2"])  # fmt: skip
    with pytest.raises(UserError, match="launcher.currency: is 'EUR', and generator.currency 'USD'; give all prices"):
        workspace.runs.submit(spec)
