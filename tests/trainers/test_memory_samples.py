from __future__ import annotations

import logging
import os
import subprocess
import sys
import time

import pytest

from engine import gpus, ranks
from engine.gpus import GpuSample
from engine.rundir import Inputs, RunDir
from engine.trainers import memory_samples
from engine.trainers.memory_samples import pause, sample, sampling


@pytest.fixture
def run(tmp_path):
    return RunDir.create(tmp_path / "run", {}, Inputs())


def test_samples_come_between_steps_with_the_step_that_is_done_and_the_time(run):
    steps = [0]
    begun = time.time()
    with sampling(run, lambda: steps[0], every_s=0.02):
        time.sleep(0.2)
        steps[0] = 7
        time.sleep(0.2)
    found = [event for event in run.all_events() if event.kind == "metric"]
    assert {event.payload.step for event in found} == {0, 7}
    assert len(found) >= 4
    assert all(begun <= event.time <= time.time() for event in found)
    assert all(event.payload.values["process_bytes"] > 10 << 20 for event in found)
    assert [("machine_total_bytes" in event.payload.values) for event in found] == [True] + [False] * (len(found) - 1)
    last = found[0].payload.values
    assert last["process_bytes"] < last["machine_used_bytes"] < last["machine_total_bytes"]


def test_a_run_of_a_month_has_thousands_of_samples_and_no_more():
    so_far, count = 0.0, 0
    while so_far < 30 * 24 * 3600:
        so_far += pause(so_far)
        count += 1
    assert 2000 < count < 9000
    assert pause(0.0) == 2.0


def test_a_sample_that_fails_ends_the_sampling_and_not_the_training(run, caplog):
    (run.path / "events.jsonl").unlink()
    with caplog.at_level(logging.WARNING), sampling(run, lambda: 0, every_s=0.01):
        time.sleep(0.1)
    assert "no longer sampled" in caplog.text


def test_each_card_that_the_run_sees_has_its_series(monkeypatch):
    asked = {}

    def samples(uuids, pids):
        asked["pids"] = pids
        return (GpuSample(10, 6, 4, 93, 61, 300.5), None, GpuSample(10, 5, None, None, None, None))

    monkeypatch.setattr(memory_samples, "_cards", lambda: dict(enumerate(["GPU-a", "GPU-b", "GPU-c"])))
    monkeypatch.setattr(memory_samples, "samples", samples)
    found = {name: value for name, value in sample().items() if name.startswith("gpu")}
    assert found == {
        "gpu0_used_bytes": 6.0, "gpu0_process_bytes": 4.0, "gpu0_utilisation": 93.0, "gpu0_temperature": 61.0,
        "gpu0_power": 300.5, "gpu2_used_bytes": 5.0,
    }  # fmt: skip
    assert sample(with_totals=True)["gpu2_total_bytes"] == 10.0
    assert os.getpid() in asked["pids"]


def test_the_cards_of_other_processes_are_told_by_the_leading_one_until_they_fall_silent(run, monkeypatch):
    (run.path / ranks.FOLDER).mkdir()
    monkeypatch.setenv(ranks.STRATEGY, "ddp")
    monkeypatch.setenv("WORLD_SIZE", "3")
    monkeypatch.setattr(memory_samples, "_cards", lambda: {ranks.own(): "GPU-x"})
    monkeypatch.setattr(memory_samples, "samples", lambda *_: (GpuSample(100, 6 + ranks.own(), 4, 93, None, None),))
    monkeypatch.setenv("RANK", "2")
    with sampling(RunDir(run.path), lambda: 3, every_s=60):
        time.sleep(0.2)
    assert not any(event.kind == "metric" for event in run.all_events()), "it does not lead"
    monkeypatch.setenv("RANK", "0")
    with sampling(run, lambda: 3, every_s=0.05):
        time.sleep(0.3)
    first, *later = [event.payload.values for event in run.all_events() if event.kind == "metric"]
    assert {name: value for name, value in first.items() if name.startswith("gpu")} == {
        "gpu0_used_bytes": 6.0, "gpu0_process_bytes": 4.0, "gpu0_utilisation": 93.0, "gpu0_total_bytes": 100.0,
        "gpu2_used_bytes": 8.0, "gpu2_process_bytes": 4.0, "gpu2_utilisation": 93.0, "gpu2_total_bytes": 100.0,
    }  # fmt: skip
    assert later
    assert not any(name.startswith("gpu2") for values in later for name in values), "nothing new was left"
    assert all("gpu0_used_bytes" in values and "gpu0_total_bytes" not in values for values in later)


def test_processes_of_other_sessions_are_not_this_runs():
    with subprocess.Popen(["sleep", "30"], start_new_session=True) as other, subprocess.Popen(["sleep", "30"]) as own:
        try:
            found = memory_samples._of_this_run()
        finally:
            other.kill()
            own.kill()
    assert own.pid in found
    assert other.pid not in found


def test_without_torch_no_card_is_asked(monkeypatch):
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(gpus, "samples", lambda *_: pytest.fail("asked"))
    assert not any(name.startswith("gpu") for name in sample())
