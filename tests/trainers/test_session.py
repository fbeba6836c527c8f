from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from engine.assets import STARTER_MODEL
from engine.domain import Model
from engine.errors import UserError
from engine.models.loading import load
from engine.models.shape import read_config
from engine.rundir import Inputs, RunDir
from engine.trainers.memory_estimate import estimate
from engine.trainers.sft import Sft

pytestmark = pytest.mark.slow

TRAINER = {"learning_rate": 1e-2, "batch_size": 4, "rank": 4, "logging_steps": 1, "save_steps": 2, "max_steps": 4}


def train(tmp_path, model, dataset, name="run", seed=0, **settings):
    run = RunDir.create(tmp_path / name, {}, Inputs())
    figures = Sft(Sft.Params(**{**TRAINER, **settings})).train(model, dataset, seed, run)
    return run, figures


def said(run, kind):
    return [asdict(event.payload) for event in run.events().events if event.kind == kind]


def weights(folder):
    from safetensors.torch import load_file

    return load_file(next(Path(folder).glob("*model.safetensors")))


def test_training_writes_an_adapter_and_emits_metrics(tmp_path, tiny, dataset):
    run, figures = train(tmp_path, tiny, dataset, epochs=2)
    assert figures["steps"] == 4
    assert (figures["samples"], figures["samples_seen"]) == (16, 16)
    assert figures["trainable_parameters"] < figures["all_parameters"] / 10
    assert 0 < figures["train_loss"] < 20
    points = said(run, "metric")
    assert [point["step"] for point in points if "loss" in point["values"]] == [1, 2, 3, 4]
    first = next(point for point in points if "loss" in point["values"])
    assert {"loss", "learning_rate", "grad_norm", "tokens_per_s", "memory_bytes", "epoch"} <= first["values"].keys()
    assert any("eval_loss" in point["values"] for point in points)
    assert [checkpoint["step"] for checkpoint in said(run, "checkpoint")] == [2, 4]
    assert said(run, "progress")[-1] | {"text": ""} == {"done": 4, "total": 4, "text": ""}
    assert "left" in said(run, "progress")[2]["text"]
    config = json.loads((run.artifacts / "model" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == tiny.path
    assert not list((run.path / "artifacts").rglob("*.bin"))
    loaded = load(Model("new", "adapter", str(run.artifacts / "model"), tiny.path))
    assert loaded.tokenizer.vocab_size == 8192


def test_the_curves_end_at_the_last_step(tmp_path, tiny, dataset):
    run, _ = train(tmp_path, tiny, dataset, max_steps=3, logging_steps=2)
    assert [point["step"] for point in said(run, "metric") if "loss" in point["values"]] == [1, 2, 3]


def test_epochs_are_turned_into_steps(tmp_path, tiny, dataset):
    _, figures = train(tmp_path, tiny, dataset, max_steps=None, epochs=1.5, accumulation=2, save_steps=None)
    assert figures["steps"] == 5  # 24 rows x 1.5 in steps of 4 x 2
    assert (figures["samples"], figures["samples_seen"]) == (24, 40)


@pytest.mark.parametrize(
    "settings",
    [
        {"method": "qlora", "optimizer": "paged_adamw_8bit"},
        {"base_bits": 8, "optimizer": "adamw_8bit"},
        {"method": "full", "optimizer": "sgd", "learning_rate": 1e-3},
        {"packing": True, "batch_size": 1, "max_steps": 1},
        pytest.param(
            {"activation_checkpointing": True, "group_by_length": True, "scheduler": "cosine", "warmup_steps": 0.5},
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"precision": "bf16", "scheduler": "constant", "target_modules": "q_proj,v_proj"}, marks=pytest.mark.slow
        ),
    ],
    ids=lambda settings: "-".join(str(value) for value in settings.values()),
)
def test_every_way_of_training_runs_on_a_cpu(tmp_path, tiny, dataset, settings):
    run, figures = train(tmp_path, tiny, dataset, **{"max_steps": 1, **settings})
    assert 0 < figures["train_loss"] < 20
    is_full = settings.get("method") == "full"
    folder = str(run.artifacts / "model")
    load(Model("new", "base", folder) if is_full else Model("new", "adapter", folder, tiny.path))
    assert (figures["trainable_parameters"] == figures["all_parameters"]) == is_full


@pytest.mark.parametrize(
    ("settings", "trainable", "parameters"),
    [
        ({"method": "lora"}, 794_624, 13_579_584),
        ({"method": "lora", "base_bits": 8}, 794_624, 13_579_584),
        ({"method": "qlora"}, 794_624, 13_579_584),
        ({"method": "qlora", "rank": 8, "target_modules": "q_proj,v_proj"}, 81_920, 12_866_880),
        ({"method": "lora", "rank": 8, "target_modules": "down_proj"}, None, None),
        ({"method": "full"}, 12_784_960, 12_784_960),
    ],
    ids=lambda settings: "-".join(map(str, settings.values())) if isinstance(settings, dict) else "",
)
def test_a_run_and_the_estimate_count_the_same_parameters(tmp_path, dataset, settings, trainable, parameters):
    starter = Model("starter", "base", str(STARTER_MODEL))
    _, figures = train(tmp_path, starter, dataset, **{"rank": 16, "max_steps": 1, **settings})
    found = (figures["trainable_parameters"], figures["all_parameters"])
    estimated = estimate(read_config(STARTER_MODEL), Sft.Params(**{"rank": 16, **settings}), 1024)
    assert found == (estimated.trainable, estimated.all_parameters)
    assert trainable is None or found == (trainable, parameters)


def test_an_adapter_is_trained_further(tmp_path, tiny_adapter, dataset):
    run, _ = train(tmp_path, tiny_adapter, dataset, learning_rate=1e-9)
    before, after = weights(tiny_adapter.path), weights(run.artifacts / "model")
    assert before.keys() == after.keys()
    assert all((before[name] - after[name]).abs().max() < 1e-6 for name in before)


def test_an_adapter_is_trained_further_on_a_four_bit_base(tmp_path, tiny_adapter, dataset):
    _, figures = train(tmp_path, tiny_adapter, dataset, method="qlora", max_steps=1)
    assert figures["steps"] == 1


def test_an_adapter_is_not_trained_with_settings_it_does_not_have(tmp_path, tiny_adapter, dataset):
    with pytest.raises(UserError, match=r"rank: the adapter has 4, not 16; trainer\.alpha: the adapter has 8, not 16"):
        train(tmp_path, tiny_adapter, dataset, rank=16, alpha=16)
    assert not (tmp_path / "run" / "artifacts" / "model").exists()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"target_modules": "qproj"}, "no layer called 'qproj'; it has: .*q_proj"),
        ({"precision": "fp16"}, "fp16 needs a GPU"),
        ({"report_to_wandb": True}, "WANDB_API_KEY"),
    ],
)
def test_impossible_settings_are_refused(tmp_path, tiny, dataset, settings, words, monkeypatch):
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    with pytest.raises(UserError, match=words):
        train(tmp_path, tiny, dataset, **settings)


def test_every_weight_of_an_adapter_cannot_be_trained(tmp_path, tiny_adapter, dataset):
    with pytest.raises(UserError, match="merge it first"):
        train(tmp_path, tiny_adapter, dataset, method="full")


def test_a_diverging_loss_ends_the_run_with_a_message(tmp_path, tiny, dataset):
    with pytest.raises(UserError, match=r"the loss is (nan|inf).*lower the learning rate"):
        train(
            tmp_path, tiny, dataset, method="full", learning_rate=1.0, max_grad_norm=0, optimizer="sgd", max_steps=200
        )


def test_the_lean_loss_is_the_loss_of_trl(tmp_path, tiny, dataset, monkeypatch):
    from trl import SFTTrainer

    from engine.trainers.exact_loss import LeanSFTTrainer

    at_once = {"accumulation": 2, "eval_batch_size": 6}  # TRL's is a mean over batches, so all is one batch
    _, lean = train(tmp_path, tiny, dataset, "lean", **at_once)
    monkeypatch.setattr(LeanSFTTrainer, "compute_loss", SFTTrainer.compute_loss)
    monkeypatch.setattr("engine.trainers.exact_loss.add_fused_lm_head", lambda model, outputs: None)  # TRL's has more
    _, plain = train(tmp_path, tiny, dataset, "plain", **at_once)
    assert lean["train_loss"] == pytest.approx(plain["train_loss"], abs=1e-5)
    assert lean["eval_loss"] == pytest.approx(plain["eval_loss"], abs=1e-5)


def test_the_loss_of_an_evaluation_is_the_same_in_batches_of_any_size(tmp_path, tiny, dataset):
    found = [train(tmp_path, tiny, dataset, f"by-{size}", max_steps=1, eval_batch_size=size)[1] for size in (1, 4, 6)]
    assert [one["eval_loss"] for one in found] == pytest.approx([found[0]["eval_loss"]] * 3, abs=1e-5)


def test_a_training_resumes_from_the_checkpoint_before_a_damaged_one(tmp_path, tiny, dataset):
    run, _ = train(tmp_path, tiny, dataset)
    (run.artifacts / "checkpoints" / "checkpoint-4" / "COMPLETE").write_bytes(b"\xff" * 40)
    again, figures = train(tmp_path, tiny, dataset)
    assert (said(again, "resumed"), figures["steps"]) == ([{"step": 2}], 4)


def test_a_stop_during_an_evaluation_saves_once_and_can_be_resumed(tmp_path, tiny, dataset, monkeypatch):
    from engine.trainers.reporting import Reporter

    evaluated = Reporter.on_prediction_step

    def stopped(reporter, *given, **named):
        reporter.is_stopping = True
        evaluated(reporter, *given, **named)

    with monkeypatch.context() as stopping:
        stopping.setattr(Reporter, "on_prediction_step", stopped)
        with pytest.raises(SystemExit):
            train(tmp_path, tiny, dataset, eval_steps=1, save_steps=100)
    run, figures = train(tmp_path, tiny, dataset, eval_steps=1, save_steps=100)
    assert [checkpoint["step"] for checkpoint in said(run, "checkpoint")] == [1, 4]
    assert (said(run, "resumed"), figures["steps"]) == ([{"step": 1}], 4)


def test_a_sigkill_a_stop_and_two_resumes_give_the_weights_and_losses_of_an_undisturbed_run(tmp_path, dataset):
    settings = {"name": "sft", **TRAINER, "dropout": 0.1, "max_steps": 12, "learning_rate": 2e-3, "save_steps": 3}
    model = Model("starter", "base", str(STARTER_MODEL))
    runs = []
    for name, signals in (("whole", ()), ("cut", ((4, signal.SIGKILL), (8, signal.SIGTERM)))):
        run = RunDir.create(
            tmp_path / name, {"kind": "train", "trainer": settings}, Inputs(model=model, dataset=str(dataset))
        )
        runs.append(run)
        for at, number in (*signals, (None, None)):
            before = len(said(run, "metric"))
            process = subprocess.Popen([sys.executable, "-m", "engine.work", str(run.path)], stderr=subprocess.DEVNULL)
            while at and process.poll() is None:
                if any(point["step"] >= at for point in said(run, "metric")[before:]):
                    os.kill(process.pid, number)
                    break
                time.sleep(0.02)
            process.wait(timeout=500)
        assert said(run, "state")[-1]["state"] == "done"
    whole, cut = runs
    assert [point["state"] for point in said(cut, "state")] == ["running", "running", "stopped", "running", "done"]
    killed, stopped = (told["step"] for told in said(cut, "resumed"))
    assert killed in (3, 6, 9), "the newest checkpoint"
    assert stopped >= 8, "it was saved where it was stopped"
    wanted, found = (weights(run.artifacts / "model") for run in runs)
    assert all((wanted[name] == found[name]).all() for name in wanted)
    losses = [
        {point["step"]: point["values"]["loss"] for point in said(run, "metric") if "loss" in point["values"]}
        for run in runs
    ]
    assert losses[0] == losses[1]
