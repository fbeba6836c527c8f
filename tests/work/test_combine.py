"""The result of a benchmark run in shards, where they cannot know it: of all bugs, all machines and all processes."""

from __future__ import annotations

from pathlib import Path

from engine import chosen_by
from engine.domain import Model
from engine.run_inputs import Inputs
from engine.rundir import RunDir
from engine.specs import BenchmarkSpec
from engine.work.combine import benchmark

SPEC = BenchmarkSpec(model="x", candidates=1, shards=3, limit=7)
RESULTS = [
    {"sandbox": "bubblewrap", "caution": "", "gpus": 1},
    {"sandbox": "Landlock", "caution": "chosen by 1 of these 3 bugs", "gpus": 1, "lost_processes": 1},
    {"sandbox": "bubblewrap", "caution": "", "gpus": 1, "lost_processes": 2},
]


def test_what_shards_know_in_part_is_put_together(tmp_path, monkeypatch):
    monkeypatch.setattr(chosen_by, "caution", lambda model, bugs: f"{model.name} was chosen by 1 of these {len(bugs)}")
    run = RunDir.create(tmp_path / "runs" / "7", {}, Inputs())
    model = Model("mine", "adapter", str(Path(tmp_path)))
    told = benchmark(SPEC, Inputs(model), run, RESULTS)
    assert told["caution"] == "mine was chosen by 1 of these 7"
    assert told["sandbox"] == "bubblewrap; Landlock"
    assert told["lost_processes"] == 3
    assert "lost_processes" not in benchmark(SPEC, Inputs(model), run, RESULTS[:1])
