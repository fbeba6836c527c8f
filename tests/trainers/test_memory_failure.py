from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest
import torch
from tiny_models import write_preferences

from engine.errors import OutOfMemory, is_out_of_memory
from engine.plugins import TRAINERS
from engine.rundir import Inputs, RunDir
from engine.trainers import memory_failure
from engine.trainers.exact_loss import LeanSFTTrainer
from engine.trainers.preference_session import PairTrainer

CPU_ERROR = (
    "[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
)
SMALL = dict(rank=2, batch_size=3, max_steps=4, evaluation="steps", eval_steps=2, logging_steps=1, save_steps=10)


def fails_at(monkeypatch, trainer_class, call, error):
    """The trainer's loss raises at this call, counted from 1."""
    calls = []
    loss = trainer_class.compute_loss

    def compute_loss(self, *args, **kwargs):
        calls.append(args)
        if len(calls) == call:
            raise error
        return loss(self, *args, **kwargs)

    monkeypatch.setattr(trainer_class, "compute_loss", compute_loss)


def trained(run_path, tiny, dataset, **settings):
    run = RunDir.create(run_path / "run", {}, Inputs(dataset=str(dataset)))
    with pytest.raises(OutOfMemory) as raised:
        TRAINERS.from_value(settings).train(tiny, dataset, 0, run)
    return str(raised.value), json.loads((run.artifacts / "out_of_memory.json").read_text()), run


def ids_of(dataset, name="train"):
    table = pq.read_table(dataset / f"{name}.parquet").to_pydict()
    return dict(zip(table["bug_id"], table["n_tokens"], strict=True))


@pytest.mark.parametrize(
    "error",
    [RuntimeError(CPU_ERROR), torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), MemoryError()],
)
def test_it_says_the_step_and_names_the_samples_of_the_batch(tmp_path, tiny, dataset, monkeypatch, error):
    fails_at(monkeypatch, LeanSFTTrainer, 2, error)
    text, report, run = trained(tmp_path, tiny, dataset, name="sft", **SMALL)
    assert is_out_of_memory(OutOfMemory(text))
    assert (report["step"], report["in"], len(report["samples"])) == (2, "training", 3)
    known = ids_of(dataset)
    assert {one["id"]: one["tokens"] for one in report["samples"]}.items() <= known.items()
    assert text.startswith("out of memory at step 2, in the training, on CPU")
    for one in report["samples"]:
        assert f"{one['id']} ({one['tokens']} tokens)" in text
    assert (run.artifacts / "memory_summary.txt").read_text().startswith("Name:")


def test_an_evaluation_is_named_as_one_with_its_own_samples(tmp_path, tiny, dataset, monkeypatch):
    fails_at(monkeypatch, LeanSFTTrainer, 3, RuntimeError(CPU_ERROR))  # after two steps
    _, report, _ = trained(tmp_path, tiny, dataset, name="sft", **SMALL)
    assert (report["in"], report["step"]) == ("evaluation", 3)
    assert {one["id"] for one in report["samples"]} <= set(ids_of(dataset, "valid"))


def test_the_samples_of_packed_rows_are_named_one_by_one(tmp_path, tiny, dataset, monkeypatch):
    fails_at(monkeypatch, LeanSFTTrainer, 1, RuntimeError(CPU_ERROR))
    settings = {**SMALL, "batch_size": 6, "evaluation": "no", "eval_steps": None, "packing": True}
    _, report, _ = trained(tmp_path, tiny, dataset, name="sft", **settings)
    known = ids_of(dataset)
    assert len(report["samples"]) == 6
    assert all(known[one["id"]] == one["tokens"] for one in report["samples"])


def test_both_answers_of_a_preference_are_its_sample(tmp_path, tiny, monkeypatch):
    dataset = write_preferences(tmp_path / "set")
    fails_at(monkeypatch, PairTrainer, 1, RuntimeError(CPU_ERROR))
    _, report, _ = trained(tmp_path, tiny, dataset, name="dpo", **SMALL)
    ids = [one["id"] for one in report["samples"]]
    assert len(ids) == 6
    assert ids[:3] == ids[3:]
    assert set(ids) <= set(ids_of(dataset))


def test_what_would_fit_is_below_what_did_not(tmp_path, tiny, dataset, monkeypatch):
    monkeypatch.setattr(memory_failure, "_whole_room", lambda: memory_failure.Room("cpu", "CPU", 700_000_000))
    fails_at(monkeypatch, LeanSFTTrainer, 1, RuntimeError(CPU_ERROR))
    text, report, _ = trained(tmp_path, tiny, dataset, name="sft", **{**SMALL, "batch_size": 64})
    assert "it would fit with batch_size 32 and accumulation 2, or " in text


def test_what_was_not_foreseen_counts_for_every_change(tmp_path, tiny, dataset, monkeypatch):
    monkeypatch.setattr(memory_failure, "_whole_room", lambda: memory_failure.Room("cpu", "CPU", 5 * 10**9))
    fails_at(monkeypatch, LeanSFTTrainer, 1, RuntimeError(CPU_ERROR))  # though it seemed to need a tenth of that
    text, _, _ = trained(tmp_path, tiny, dataset, name="sft", **SMALL)
    assert "no change of batch, checkpointing, method or optimizer makes it fit" in text


def test_other_errors_stay_what_they_are(tmp_path, tiny, dataset, monkeypatch):
    fails_at(monkeypatch, LeanSFTTrainer, 1, KeyError("no"))
    run = RunDir.create(tmp_path / "run", {}, Inputs())
    with pytest.raises(KeyError):
        TRAINERS.from_value({"name": "sft", **SMALL}).train(tiny, dataset, 0, run)
    assert not (run.artifacts / "out_of_memory.json").exists()


def test_bugs_of_a_training_on_verdicts_are_named():
    assert memory_failure.sequences([{"bug_id": "pocket/a"}, {"bug_id": "pocket/b"}]) == ["pocket/a", "pocket/b"]
