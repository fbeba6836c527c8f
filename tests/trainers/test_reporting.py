"""What a training writes while it runs: speed, curves as files, and what was known at each checkpoint."""

from __future__ import annotations

import csv
import json
from types import SimpleNamespace

import pytest

from engine.rundir import Inputs, RunDir
from engine.trainers import reporting
from engine.trainers.reporting import Reporter
from engine.trainers.run_files import CurveFile, RunFiles


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def run(tmp_path):
    return RunDir.create(tmp_path / "run", {}, Inputs())


@pytest.fixture
def clock(monkeypatch):
    now = SimpleNamespace(s=0.0)
    monkeypatch.setattr(reporting.time, "monotonic", lambda: now.s)
    return now


def state_at(step, **more):
    return SimpleNamespace(global_step=step, max_steps=10, log_history=[], num_input_tokens_seen=0, **more)


def test_where_nobody_knows_the_tokens_before_they_are_written_the_trainers_count_gives_the_speed(run, clock):
    reporter = Reporter(run, (), 4, 2)
    reporter.on_train_begin(None, state_at(0), None)
    clock.s = 2.0
    reporter.on_log(None, state_at(1), None, {"loss": 0.1, "num_tokens": 600.0})
    clock.s = 4.0
    reporter.not_trained(1.0)
    reporter.on_log(None, state_at(2), None, {"loss": 0.1, "num_tokens": 1000.0})
    told = [event.payload.values["tokens_per_s"] for event in run.all_events() if event.kind == "metric"]
    assert told == [300.0, 400.0]


def test_a_resumed_training_counts_from_where_it_was(run, clock):
    reporter = Reporter(run, (), 4, 2)
    state = state_at(5)
    state.num_input_tokens_seen = 10_000
    reporter.on_train_begin(None, state, None)
    clock.s = 1.0
    reporter.on_log(None, state_at(6), None, {"loss": 0.1, "num_tokens": 10_050.0})
    (told,) = [event.payload.values for event in run.all_events() if event.kind == "metric"]
    assert told["tokens_per_s"] == 50.0


def test_curves_are_two_files_and_a_new_metric_gets_its_column(tmp_path):
    files = RunFiles(tmp_path)
    files.add(1, {"loss": 2.0, "epoch": 0.5})
    files.add(2, {"loss": 1.0, "reward": 0.25, "epoch": 1.0})
    files.add(2, {"eval_loss": 1.5, "epoch": 1.0})
    files.add(2, {"plausible_at_1": 0.5, "epoch": 1.0})
    train, valid = tmp_path / "curves" / "train.csv", tmp_path / "curves" / "valid.csv"
    assert rows(train) == [
        {"step": "1", "epoch": "0.5", "loss": "2.0", "reward": ""},
        {"step": "2", "epoch": "1.0", "loss": "1.0", "reward": "0.25"},
    ]
    assert [each["plausible_at_1"] for each in rows(valid)] == ["", "0.5"]
    again = RunFiles(tmp_path)  # of a resumed worker
    again.continue_from(1)
    again.add(2, {"loss": 0.9, "epoch": 1.0})
    assert [(each["step"], each["loss"]) for each in rows(train)] == [("1", "2.0"), ("2", "0.9")]
    assert rows(valid) == []


def test_of_processes_that_train_together_one_writes_the_curves(run, monkeypatch):
    class State:
        global_step, max_steps, log_history = 1, 2, ()

    for number in range(2):
        monkeypatch.setattr(reporting.together, "leads", lambda number=number: number == 0)
        reporter = Reporter(run, [0, 1, 2], 2.0, 2)
        reporter.on_train_begin(None, State, None)
        reporter.on_log(None, State, None, {"loss": 1.0 + number})
    assert [each["loss"] for each in rows(run.artifacts / "curves" / "train.csv")] == ["1.0"]


def test_a_row_that_a_killed_worker_did_not_finish_is_left_out(tmp_path):
    file = CurveFile(tmp_path / "train.csv")
    file.add(1, {"epoch": 0.1, "loss": 2.0})
    file.add(2, {"epoch": 0.2, "loss": 1.25})
    text = (tmp_path / "train.csv").read_text()
    for cut in range(1, len("2,0.2,1.25\n")):
        (tmp_path / "train.csv").write_text(text[:-cut])
        again = CurveFile(tmp_path / "train.csv")
        again.forget_after(2)
        again.add(2, {"epoch": 0.2, "loss": 1.25})
        assert (tmp_path / "train.csv").read_text() == text


def test_a_checkpoint_says_what_was_known_at_it(tmp_path):
    files = RunFiles(tmp_path)
    files.know(2, {"eval_loss": 1.5, "loss": 3.0})  # of the worker before
    files.add(4, {"loss": 1.0, "epoch": 1.0})
    files.write_metrics(tmp_path, 4, 1.0)
    told = json.loads((tmp_path / "metrics.json").read_text())
    assert told == {
        "step": 4,
        "epoch": 1.0,
        "metrics": {"eval_loss": {"step": 2, "value": 1.5}, "loss": {"step": 4, "value": 1.0}},
    }


@pytest.mark.parametrize(
    "text",
    [b"\xff\xfe\n", b"step;epoch;loss\n1;0.1;2\n", b"step,epoch,loss\nmany,1,1\n", b"x" * 200_000 + b"\n1\n"],
    ids=["not utf-8", "semicolons", "no number", "a long field"],
)
def test_a_table_that_another_program_has_changed_is_put_aside(tmp_path, text):
    path = tmp_path / "train.csv"
    path.write_bytes(text)
    file = CurveFile(path)
    file.forget_after(3)
    file.add(4, {"loss": 1.0})
    assert path.read_text() == "step,epoch,loss\n4,,1.0\n"
    assert (tmp_path / "train.csv.changed").read_bytes() == text
