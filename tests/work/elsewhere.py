"""A launcher whose workers are lists of events, for a leading worker and shards in the test's own process."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.domain import Outcome
from engine.events import BugEvent, PatchEvent, State, VerdictFields
from engine.run_inputs import Inputs
from engine.rundir import RunDir
from engine.work import lead as leading

BUG = BugEvent("b/1", "python", "b.py", 1, 2, "x", "y")
PATCH = PatchEvent("b/1", "model", 1, VerdictFields(Outcome.PLAUSIBLE))
DONE = State("done", {"bugs": 1, "patches_per_s": 1.0, "gpus": 1})


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


def told(run, kind):
    return [event.payload for event in run.all_events() if isinstance(event.payload, kind)]


def at_work_before(cluster, run, *numbers):
    """Shards that an earlier leader has started, and that are at work."""
    cluster.events = lambda number: events_of(number)[:-1]
    for number in numbers:
        cluster.start(RunDir.create(run.shard(number).path, {}, Inputs()), number)
    run.write_handles({number: f"job {number}" for number in numbers})
    cluster.events = events_of
