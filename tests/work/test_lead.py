"""The parts of a worker that leads others: what it reads of them, what it tells, where they are started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from engine.control.polls import Polls
from engine.control.room import Room
from engine.domain import Outcome
from engine.events import BugEvent, PatchEvent, Progress, State, VerdictFields
from engine.launchers.leading import Leading, places_of
from engine.launchers.local import Local, boot_id, start_time
from engine.run_inputs import Inputs, Part
from engine.rundir import RunDir
from engine.specs import BenchmarkSpec, DatasetSpec
from engine.work.shard import Shard, share_of
from engine.work.told import Told
from engine.work.watched import LEADER
from storage.queue import Launched

BUG = BugEvent("b/1", "python", "b.py", 1, 2, "x", "y")
PATCH = PatchEvent("b/1", "model", 1, VerdictFields(Outcome.PLAUSIBLE))


@pytest.fixture
def run(tmp_path):
    return RunDir.create(tmp_path / "home" / "runs" / "7", {}, Inputs())


def test_parts_are_all_of_it_and_nothing_twice():
    whole = list(range(11))
    parts = [Part(number, 4).of(whole) for number in range(1, 5)]
    assert sorted(each for part in parts for each in part) == whole
    assert {len(part) for part in parts} == {2, 3}
    assert Part().of(whole) == whole


def test_a_shard_knows_its_part_and_its_home(run):
    shard = RunDir.create(run.shard(3).path, {}, Inputs(part=Part(3, 8)))
    assert shard.inputs().part == Part(3, 8)
    assert shard.home == run.home == run.path.parents[1]
    run.write_handles({3: "here"})
    assert run.handles() == {3: "here"}
    assert RunDir(run.path.rename(run.path.with_name("8"))).handles() == {}, "the workers of a folder that was moved"


def test_a_shard_is_read_from_where_it_was_left(run):
    folder = RunDir.create(run.shard(1).path, {}, Inputs())
    shard = Shard(1, folder)
    assert (shard.news(), shard.log_lines()) == ([], [])
    for payload in (State("running"), BUG, Progress(1, 4, "one"), PATCH):
        folder.emit(payload)
    folder.log.write_text("first\nhalf of")
    assert shard.news() == [BUG, PATCH]
    assert (shard.state, shard.share, shard.log_lines()) == ("running", 0.25, ["first"])
    folder.log.write_text("first\nhalf of it\n")
    folder.emit(State("done", {"bugs": 1}))
    assert shard.news() == []
    assert (shard.is_done, shard.share, shard.result, shard.log_lines()) == (True, 1.0, {"bugs": 1}, ["half of it"])


def test_an_end_on_a_full_disk_is_read_where_it_was_reserved(run):
    folder = RunDir.create(run.shard(1).path, {}, Inputs())
    folder.reserve_ending()
    folder.write_ending(State("failed", error="the disk is full", cause="disk_full"))
    shard = Shard(1, folder)
    shard.ending()
    assert (shard.state, shard.error, shard.cause) == ("failed", "the disk is full", "disk_full")


def test_nothing_is_told_twice_by_a_worker_that_is_started_again(run):
    first = Told(run)
    for payload in (BUG, PATCH, BUG, PATCH):
        first.tell([payload])
    again = Told(run)
    again.tell([BUG, PATCH])
    again.tell([PatchEvent("b/1", "model", 2, VerdictFields(Outcome.NO_PATCH))])
    assert [event.kind for event in run.all_events()] == ["bug", "patch", "patch"]
    assert (first.patches, again.patches) == (1, 1)


def test_what_is_said_of_a_bug_last_counts_also_if_it_was_said_before(run):
    skipped = replace(BUG, skipped="the service gave no answer")
    first = Told(run)
    for payload in (BUG, skipped, BUG):
        first.tell([payload])
    assert [event.payload.skipped for event in run.all_events()] == ["", skipped.skipped, ""]
    Told(run).tell([BUG, skipped, BUG])  # as a leader that is started again reads its shard
    assert [event.payload.skipped for event in run.all_events()] == ["", skipped.skipped, ""]


def test_shards_have_the_limits_of_a_service_together():
    spec = {
        "seed": 1,
        "generator": {"name": "endpoint", "per_minute": 60, "parallel": 8},
        "strategy": {"name": "parallel"},
    }
    each, allowed = share_of(spec, 16)
    assert each["generator"] == {"name": "endpoint", "per_minute": 3, "parallel": 1}
    assert (each["strategy"], each["seed"], allowed) == (spec["strategy"], 1, 16)
    assert share_of(spec, 100)[1] == 60, "so many shards at a time can have a request a minute"
    assert share_of({"generator": {"parallel": 8, "per_minute": None}}, 2)[0]["generator"]["parallel"] == 4


class Cluster(Local):
    """A launcher with room for four, two of them for a worker; no places of its own."""

    def __init__(self):
        super().__init__()

    places = None

    def room(self):
        return {"slots": 4.0}

    def needs(self):
        return {"slots": 2.0}


def test_so_many_shards_are_started_as_there_is_room_for():
    cluster = Cluster()
    assert len(places_of(cluster, BenchmarkSpec(model="m", shards=8))) == 2
    assert len(places_of(cluster, BenchmarkSpec(model="m", shards=1))) == 1
    assert Leading(cluster, 8).needs() == {"slots": 4.0}
    assert Leading(cluster, 1).needs() == {"slots": 2.0}


def test_each_gpu_of_this_machine_is_a_place(monkeypatch):
    cards = [type("Card", (), {"memory_bytes": 1 << 30})() for _ in range(3)]
    monkeypatch.setattr("engine.launchers.local.gpus", lambda: cards)
    every = Local()
    run = BenchmarkSpec(model="m", shards=8)
    assert [each.params.devices for each in places_of(every, run)] == ["0", "1", "2"]
    assert [each.params.devices for each in places_of(every, run.model_copy(update={"shards": 2}))] == ["0", "1"]
    assert [each.params.devices for each in Local(Local.Params(devices="cpu")).places()] == ["cpu"]


def test_each_core_of_this_machine_is_a_place_for_the_build_of_a_dataset(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(4)))
    here = Local(Local.Params(devices="cpu"))
    for builder, shards, places in (("faults", 8, 4), ("faults", 3, 3), ("tested_faults", 8, 1)):
        spec = DatasetSpec.model_validate({"builder": {"name": builder}, "shards": shards})
        assert len(places_of(here, spec)) == places, "trials of faults use all cores themselves"


def test_a_run_in_shards_waits_for_all_that_they_take():
    def one(shards):
        return Launched("benchmark", "slurm", json.dumps([{"name": "slurm", "most_active": 4}, shards]))

    room = Room(Polls(), [(one(3), 1)])
    assert room.take(one(1))
    assert not room.take(one(1))


def test_a_worker_ends_with_the_one_that_leads_it():
    leader = subprocess.Popen(["sleep", "60"])
    handle = f"{boot_id()}:{leader.pid}:{start_time(leader.pid)}"
    code = (
        "import signal, sys, time\n"
        "from engine.work.watched import end_with_leader\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
        "end_with_leader()\nprint('ready', flush=True)\ntime.sleep(60)\n"
    )
    worker = subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, LEADER: handle}, stdout=subprocess.PIPE, text=True
    )
    assert worker.stdout.readline() == "ready\n"
    time.sleep(0.5)
    assert worker.poll() is None
    leader.kill()
    leader.wait()
    assert worker.wait(20) == 7
    worker.stdout.close()
