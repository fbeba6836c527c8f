"""A leading worker with a launcher whose workers are lists of events: what it does when things go wrong elsewhere."""

from __future__ import annotations

import errno
import threading
import time
from dataclasses import replace

import pytest

from engine.domain import Outcome
from engine.errors import OutsideFailure
from engine.events import BugEvent, PatchEvent, Progress, State, VerdictFields
from engine.launchers.slurm import WHY
from engine.run_inputs import Inputs
from engine.rundir import RunDir
from engine.specs import BenchmarkSpec
from engine.work import lead as leading
from engine.work.__main__ import work

BUG = BugEvent("b/1", "python", "b.py", 1, 2, "x", "y")
PATCH = PatchEvent("b/1", "model", 1, VerdictFields(Outcome.PLAUSIBLE))
DONE = State("done", {"bugs": 1, "patches_per_s": 1.0})


def events_of(number):
    return [State("running", cards=1), replace(BUG, id=f"b/{number}"), replace(PATCH, bug_id=f"b/{number}"), DONE]


class Cluster:
    """Has room for so many workers; each writes its events when it is started, and has ended if the last is an end.

    `troubles`: errors of its next answers, by the name of the method.
    """

    name = "cluster"

    def __init__(self, places=2):
        self.places_there, self.troubles, self.events, self.stops = places, {}, events_of, []
        self.submitted, self.pending, self.folders, self.why = [], set(), {}, ""

    def room(self):
        return {"slots": float(self.places_there)}

    def needs(self):
        return {"slots": 1.0}

    def _trouble(self, method):
        if self.troubles.get(method):
            raise self.troubles[method].pop(0)

    def submit(self, run_dir, environment):
        self._trouble("submit")
        number = int(run_dir.name)
        self.submitted.append(number)
        self.given = dict(environment)
        self.start(RunDir(run_dir), number)
        return f"job {number}"

    def start(self, folder, number):
        self.folders[f"job {number}"] = folder
        for payload in self.events(number):
            folder.emit(payload)

    def find(self, run_dir):
        self._trouble("find")
        return ""

    def is_alive(self, handle):
        self._trouble("is_alive")
        if handle in self.pending:
            return "pending"
        folder = self.folders.get(handle)
        return folder is not None and not any(
            isinstance(each.payload, State) and each.payload.state != "running" for each in folder.all_events()
        )

    def stop(self, handle, run_dir, *, force):
        self.stops.append(handle)
        RunDir(run_dir).emit(State("stopped"))

    def interruption(self, handle):
        return self.why


@pytest.fixture
def cluster(monkeypatch):
    made = Cluster()
    monkeypatch.setattr("engine.plugins.LAUNCHERS.create", lambda params: made)
    for name, seconds in {"LOOK_S": 0.01, "SAY_S": 0.02, "RETRY_S": 0.02, "GIVE_UP_S": 0.5}.items():
        monkeypatch.setattr(leading, name, seconds)
    return made


@pytest.fixture
def run(tmp_path):
    made = RunDir.create(tmp_path / "home" / "runs" / "7", {}, Inputs())
    (made.path / "shards").mkdir()
    return made


def spec_of(shards=2):
    return BenchmarkSpec(model="x", candidates=1, shards=shards)


def lead(run, shards=2):
    return leading.lead(spec_of(shards), Inputs(), run)


def told(run, kind):
    return [event.payload for event in run.all_events() if isinstance(event.payload, kind)]


def at_work_before(cluster, run, *numbers):
    """Shards that an earlier leader has started, and that are at work."""
    cluster.events = lambda number: events_of(number)[:-1]
    for number in numbers:
        cluster.start(RunDir.create(run.shard(number).path, {}, Inputs()), number)
    run.write_handles({number: f"job {number}" for number in numbers})
    cluster.events = events_of


def test_all_shards_are_done_as_there_is_room(cluster, run):
    assert lead(run, 3)["bugs"] == 3
    assert sorted(cluster.submitted) == [1, 2, 3]
    assert len(told(run, PatchEvent)) == 3


def test_a_scheduler_that_does_not_answer_for_once_stops_no_shard(cluster, run):
    at_work_before(cluster, run, 1, 2)
    cluster.troubles["is_alive"] = [ConnectionError("squeue does not answer") for _ in range(3)]
    threading.Timer(0.3, lambda: [run.shard(number).emit(DONE) for number in (1, 2)]).start()
    assert lead(run)["bugs"] == 2
    assert (cluster.stops, cluster.submitted) == ([], [])


@pytest.mark.parametrize("method", ["submit", "find"])
def test_a_launcher_that_takes_none_just_now_is_asked_again(cluster, run, method):
    at_work_before(cluster, run, 1)
    RunDir.create(run.shard(2).path, {}, Inputs())
    cluster.troubles[method] = [OutsideFailure("QOSMaxSubmitJobPerUserLimit"), ConnectionError("no answer")] * 2
    threading.Timer(0.2, lambda: run.shard(1).emit(DONE)).start()
    assert lead(run)["bugs"] == 2
    assert (cluster.stops, cluster.submitted) == ([], [2])


def test_a_launcher_that_takes_none_at_all_fails_the_run(cluster, run):
    cluster.troubles["submit"] = [OutsideFailure("invalid partition")] * 100
    with pytest.raises(OutsideFailure, match="shard [12] of 2: invalid partition; resume the run when it can be"):
        lead(run)


def test_shards_are_asked_to_end_when_nothing_can_be_written_here(cluster, run):
    at_work_before(cluster, run, 1)
    cluster.troubles["submit"] = [OSError(errno.ENOSPC, "No space left on device")]
    with pytest.raises(OSError, match="No space"):
        lead(run)
    assert cluster.stops == ["job 1"]


def test_a_stop_is_passed_on_before_a_slow_scheduler_is_asked(cluster, run, monkeypatch):
    at_work_before(cluster, run, 1)
    asked, is_alive = [], cluster.is_alive
    monkeypatch.setattr(cluster, "is_alive", lambda handle: asked.append([*cluster.stops]) or is_alive(handle))
    made = leading._Leading(spec_of(), Inputs(), run)
    made.shards[0].handle = "job 1"
    made._stops.set()
    made._watched(made.shards[0], cluster)
    assert asked[0] == ["job 1"]


def cards_said(run):
    return [state.cards for state in told(run, State)]


def wait_until(is_so):
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def led(cluster, run):
    """A leader at work in a thread, with two shards that have a GPU each."""
    at_work_before(cluster, run, 1, 2)
    thread = threading.Thread(target=lead, args=(run,), daemon=True)
    thread.start()
    wait_until(lambda: cards_said(run)[-1:] == [2])
    yield run
    cluster.pending = set()
    for number in (1, 2):
        run.shard(number).emit(DONE)
    thread.join(10)


def test_a_shard_that_waits_for_a_machine_again_has_no_gpu(cluster, led):
    cluster.pending = {"job 2"}
    wait_until(lambda: cards_said(led)[-1] == 1)
    cluster.pending = set()
    wait_until(lambda: cards_said(led)[-1] == 2)
    cluster.pending = {"job 2"}
    led.shard(2).beat()
    time.sleep(0.2)
    assert cards_said(led)[-1] == 2, "an older answer of its scheduler counts more than its heartbeat"


def test_what_has_not_changed_is_not_said_again(cluster, led):
    wait_until(lambda: len(told(led, Progress)) == 1)
    time.sleep(0.3)  # fifteen times what is between two looks
    assert len(told(led, Progress)) == 1
    cluster.pending = {"job 2"}
    wait_until(lambda: told(led, Progress)[-1].text == "0 of 2 shards done, 1 waiting (no machine yet)")
    assert len(told(led, Progress)) == 2


def test_gpus_are_counted_until_the_last_shard_has_saved(cluster, run, monkeypatch):
    at_work_before(cluster, run, 1, 2)
    monkeypatch.setattr(cluster, "stop", lambda handle, run_dir, *, force: cluster.stops.append(handle))
    made = leading._Leading(spec_of(), Inputs(), run)

    def saved():
        wait_until(lambda: len(cluster.stops) == 2)
        for number, left in ((1, 1), (2, 0)):
            run.shard(number).emit(State("stopped"))
            wait_until(lambda left=left: cards_said(run)[-1] == left)

    def stopped(threads):
        wait_until(lambda: made._say() or cards_said(run)[-1:] == [2])
        saving.start()
        raise SystemExit(143)

    saving = threading.Thread(target=saved, daemon=True)
    monkeypatch.setattr(made, "_wait_for", stopped)
    with pytest.raises(SystemExit):
        made.work()
    saving.join()
    assert cards_said(run)[-3:] == [2, 1, 0]


def failed(tmp_path, monkeypatch):
    """The last state of a run in two shards, as its worker says it."""
    run = RunDir.create(tmp_path / "home" / "runs" / "8", {"kind": "benchmark", "model": "x", "shards": 2}, Inputs())
    monkeypatch.setattr("engine.work.__main__.inputs_of", lambda run, kind: run.inputs())
    assert work(run) == 1
    return told(run, State)[-1]


@pytest.mark.parametrize(
    ("cause", "advice"),
    [
        ("user", ""),
        ("bug", ""),
        ("does_not_fit", ""),
        ("out_of_memory", ""),
        ("disk_full", "; free some space there, then resume"),
    ],
)
def test_a_run_fails_of_the_cause_of_its_shard(cluster, tmp_path, monkeypatch, cause, advice):
    cluster.events = lambda number: [State("running"), State("failed", error="what it said", cause=cause)]
    last = failed(tmp_path, monkeypatch)
    assert (last.state, last.cause) == ("failed", cause)
    assert last.error in [f"shard {number} of 2: what it said{advice}" for number in (1, 2)]


def test_a_shard_that_fails_again_and_again_for_what_is_outside_says_so(cluster, tmp_path, monkeypatch):
    cluster.events = lambda number: [State("running"), State("failed", error="no answer", cause="outside")]
    last = failed(tmp_path, monkeypatch)
    assert last.cause == "outside"
    assert last.error.endswith(" of 2: no answer; resume goes on with the shards that are left")
    assert max(cluster.submitted.count(number) for number in (1, 2)) == leading.STARTS


@pytest.mark.parametrize(
    "why", [f"its SLURM job 17 {WHY['CANCELLED']}", "its Ray job x was stopped in Ray, and not by the studio"]
)
def test_a_job_that_an_administrator_ended_is_not_put_back(cluster, tmp_path, monkeypatch, why):
    cluster.why = why
    cluster.events = lambda number: events_of(number)[:-1]
    monkeypatch.setattr(cluster, "is_alive", lambda handle: False)
    last = failed(tmp_path, monkeypatch)
    assert last.cause == "outside"
    assert f" of 2: {why}; resume goes on" in last.error
    assert len(cluster.submitted) <= 2
    cluster.why = f"its SLURM job 17 {WHY['PREEMPTED']}"  # that one is
    failed(tmp_path / "other", monkeypatch)
    assert len(cluster.submitted) > 4
