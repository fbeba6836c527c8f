"""A run's folder: complete lines only, each read once, even if a writer was killed."""

from __future__ import annotations

import json
import os

import pytest

from engine.errors import OutsideFailure
from engine.rundir import Inputs, RunDir


@pytest.fixture
def run(tmp_path):
    return RunDir.create(tmp_path / "run", {"kind": "train"}, Inputs())


def test_what_was_emitted_is_read_once(run):
    run.append("metric", step=1, values={"loss": 0.5})
    first = run.events()
    run.append("state", state="done")
    second = run.events(first.offset)
    assert [e.kind for e in first.events + second.events] == ["metric", "state"]
    assert [e.seq for e in first.events + second.events] == [1, 2]
    assert run.events(second.offset).events == []


def test_a_line_cut_at_any_byte_is_never_half_read(run):
    run.append("progress", done=1, total=2, text="naïve ✓")
    run.append("state", state="done")
    whole = run.events_path.read_bytes()
    for cut in range(len(whole) + 1):
        run.events_path.write_bytes(whole[:cut])
        head = RunDir(run.path).events()
        run.events_path.write_bytes(whole)
        tail = RunDir(run.path).events(head.offset)
        assert [e.seq for e in head.events + tail.events] == [1, 2]
        assert head.broken == tail.broken == 0


def test_all_events_are_streamed_in_pieces_with_the_same_checks(run, monkeypatch):
    monkeypatch.setattr("engine.rundir.AT_ONCE_BYTES", 100)
    for done in range(20):
        run.append("progress", done=done, total=20, text="naïve ✓")
    lines = run.events_path.read_bytes().splitlines(keepends=True)
    lines[5] = b"broken\n"
    lines[9] = lines[9].replace(b'"seq": 10', b'"seq": 99')
    run.events_path.write_bytes(b"".join(lines))
    assert list(run.all_events()) == run.events().events
    assert len(run.events().events) == 18


def test_a_new_writer_closes_a_torn_line_and_counts_on(run):
    run.append("progress", done=1, total=2, text="")
    with run.events_path.open("ab") as file:
        file.write(b'{"seq": 2, "ti')
    again = RunDir(run.path)
    again.append("state", state="done")
    reading = again.events()
    assert [e.seq for e in reading.events] == [1, 2]
    assert reading.broken == 1


def test_only_one_worker_holds_a_run(run):
    with run.held():
        assert run.is_held()
        with pytest.raises(OutsideFailure, match="another worker"), RunDir(run.path).held():
            pass
    assert not run.is_held()


def test_questions_arrive_in_order_and_once(run):
    run.ask(ask="reply", conversation=1)
    first, offset = run.questions()
    run.ask(ask="stop")
    assert [q["ask"] for q in first] == ["reply"]
    assert [q["ask"] for q in run.questions(offset)[0]] == ["stop"]


def test_a_folder_that_cannot_be_created_is_reported(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutsideFailure, match="cannot write the run's folder"):
        RunDir.create(tmp_path / "file" / "run", {}, Inputs())


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes anywhere, so no folder refuses it")
def test_a_folder_that_cannot_be_written_is_reported(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutsideFailure, match="cannot write the run's folder"):
        RunDir.create(tmp_path / "run", {}, Inputs())


@pytest.mark.parametrize(
    "changed",
    [
        {"model": {"name": "m", "kind": "base", "path": 5}},
        {"model": {"name": "m", "kind": "base", "path": "/m", "odd": 1}},
        {"model": "m"},
        {"dataset": 5},
        {"calibrations": [1]},
        {"calibrations": {"key": {"offset": "much"}}},
        {"odd": 1},
    ],
    ids=str,
)
def test_inputs_that_somebody_changed_are_refused_with_a_sentence(run, changed):
    told = json.loads((run.path / "inputs.json").read_text())
    (run.path / "inputs.json").write_text(json.dumps(told | changed))
    with pytest.raises(OutsideFailure, match="was changed, or written by another version"):
        run.inputs()
