"""Whatever stands in a run's events: the other runs go on, and the run itself ends with what its worker says last."""

from __future__ import annotations

import json

import pytest

SOUND = {"seq": 1, "time": 1.0, "event": "progress", "done": 1, "total": 2, "text": "x"}
VERDICT = {"outcome": "plausible"}
PATCH = {"event": "patch", "bug_id": "b", "source": "model", "rank": 1, "text": "x", "verdict": VERDICT}
BUG = {
    "event": "bug", "id": "b", "language": "python", "path": "a.py", "start": 1, "end": 1, "buggy": "x", "fixed": "y",
}  # fmt: skip
TURN = {"event": "turn", "conversation": 1, "number": 1, "role": "user", "text": "x"}
HUGE = 10**30


def without(values: dict, name: str) -> dict:
    return {key: value for key, value in values.items() if key != name}


def line(values: dict) -> bytes:
    return json.dumps({"seq": 1, "time": 1.0, **values}).encode()


BROKEN = {
    "metric without step": line({"event": "metric", "values": {"loss": 1.0}}),
    "metric without values": line({"event": "metric", "step": 1}),
    "metric values are a list": line({"event": "metric", "step": 1, "values": [1.0]}),
    "a value is text": line({"event": "metric", "step": 1, "values": {"loss": "low"}}),
    "step is text": line({"event": "metric", "step": "soon", "values": {"loss": 1.0}}),
    "step over 64 bits": line({"event": "metric", "step": HUGE, "values": {"loss": 1.0}}),
    "step below zero": line({"event": "metric", "step": -1, "values": {"loss": 1.0}}),
    "60,000 numbers in one event": line(
        {"event": "metric", "step": 1, "values": {f"loss_{number}": 1.0 for number in range(60_000)}}
    ),
    "resumed without step": line({"event": "resumed"}),
    "state without state": line({"event": "state"}),
    "a state that is none": line({"event": "state", "state": "banana"}),
    "state null": line({"event": "state", "state": None}),
    "result is a list": line({"event": "state", "state": "done", "result": [1]}),
    "patch without verdict": line(without(PATCH, "verdict")),
    "patch without rank": line(without(PATCH, "rank")),
    "patch of no source": line({**PATCH, "source": "elsewhere"}),
    "an outcome that is none": line({**PATCH, "verdict": {"outcome": "banana"}}),
    "verdict is null": line({**PATCH, "verdict": None}),
    "rank over 64 bits": line({**PATCH, "rank": HUGE}),
    "bug without id": line(without(BUG, "id")),
    "bug without code": line(without(BUG, "buggy")),
    "turn without number": line(without(TURN, "number")),
    "turn of no conversation": line({**TURN, "conversation": "one"}),
    "progress without done": line({"event": "progress"}),
    "seq is text": line({**SOUND, "seq": "one"}),
    "seq over 64 bits": line({**SOUND, "seq": HUGE}),
    "seq far ahead": line({**SOUND, "seq": 2**62}),
    "seq missing": json.dumps(without(SOUND, "seq")).encode(),
    "time is not a number": line({**SOUND, "time": float("nan")}),
    "half a surrogate pair": b'{"seq": 1, "time": 1.0, "event": "progress", "done": 1, "text": "\\ud800"}',
    "deep nesting": b"[" * 100_000,
    "deep nesting in a result": b'{"seq":1,"time":1,"event":"state","state":"done","result":' + b'{"a":' * 5000,
    "a list": b"[1, 2]",
    "not UTF-8": b'{"seq": 1, "time": 1.0, "event": "progress", "done": 1, "text": "\xff"}',
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_a_malformed_event_is_counted_and_nothing_else_is_lost(workspace, started, broken):
    chat, odd = started("chat", "bug=x")
    other, sound = started()
    with odd.events_path.open("ab") as file:
        file.write(broken + b"\n")
    odd.append("progress", done=1, total=4, text="one of four")
    sound.append("progress", done=1, total=2, text="half")
    workspace.tick()
    run = workspace.runs.row(chat)
    assert (run.broken_lines, run.progress_text, run.state) == (1, "one of four", "starting")
    assert workspace.runs.row(other).progress_text == "half"
    odd.append("state", state="done", result={})
    workspace.tick()
    assert workspace.runs.row(chat).state == "done"


def test_an_event_of_an_unknown_kind_is_skipped_and_not_counted(workspace, started):
    run_id, folder = started()
    folder.append("hologram", depth=3)
    workspace.tick()
    assert workspace.runs.row(run_id).broken_lines == 0


@pytest.mark.parametrize("result", [None, {}, {"rows": {"train": "many"}}])
def test_a_result_that_cannot_be_entered_fails_its_run_alone(workspace, started, mute, result):
    broken, its_folder = started("dataset", "name=mine")
    waiting = workspace.runs.submit(workspace_spec("benchmark"))
    its_folder.append("state", state="done", result=result)
    workspace.tick()
    run = workspace.runs.row(broken)
    assert (run.state, run.cause) == ("failed", "bug")
    assert "could not be stored" in run.error
    workspace.tick()
    assert workspace.runs.row(waiting).state == "starting"


def test_what_the_database_refuses_of_one_run_ends_that_run_alone(workspace, started):
    """It is no trouble of the disk's or of a lock's, and would be met again at every look."""
    broken, its_folder = started("chat", "bug=x")
    other, sound = started()
    with workspace._database.write() as session:
        session.connection().exec_driver_sql("DROP TABLE metric")
    its_folder.append("metric", step=1, values={"loss": 1.0})
    sound.append("progress", done=1, total=2, text="half")
    workspace.tick()
    run = workspace.runs.row(broken)
    assert (run.state, run.cause) == ("failed", "bug")
    assert "could not be stored (OperationalError: " in run.error
    assert workspace.runs.row(other).progress_text == "half"


def workspace_spec(kind):
    from engine.spec_files import read_spec

    return read_spec(kind)


def test_a_name_taken_twice_loses_no_work(workspace, started, dataset):
    from storage.tables import Model

    run_id, folder = started("train", "name=twice", f"dataset={dataset}")
    with workspace._database.write() as session:
        session.add(Model(name="twice", kind="adapter", path="/elsewhere", created_at=0.0))
    folder.append("state", state="done", result={})
    workspace.tick()
    assert workspace.runs.row(run_id).state == "done"
    entry = next(entry for entry in workspace.models.list() if entry.run_id == run_id)
    assert entry.name == f"twice-run-{run_id}"


def test_every_event_can_be_taken_in_again(workspace, started):
    """As after a restored database: the offset and the last number are lost, the rows are not."""
    from storage.tables import Run

    chat, folder = started("chat", "bug=x")
    for values in (BUG, PATCH, TURN, {"event": "metric", "step": 1, "values": {"loss": 1.0}}):
        folder.append(values["event"], **without(values, "event"))
    workspace.tick()
    with workspace._database.write() as session:
        run = session.get_one(Run, chat)
        run.offset = run.last_seq = 0
    workspace.tick()
    assert workspace.runs.row(chat).state == "starting"
    assert len(workspace.runs.metrics(chat)["loss"]) == 1
