"""Every method of training through the real worker, a few steps with the shipped model, on a CPU."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import LlamaConfig, LlamaForCausalLM

from engine.assets import STARTER_ADAPTER, STARTER_MODEL
from engine.domain import Model
from engine.models.loading import load
from engine.models.shape import Shape, read_config
from engine.rundir import Inputs, RunDir
from engine.trainers.memory_estimate import estimate
from engine.trainers.sft import Sft

pytestmark = pytest.mark.slow

STARTER = Model("starter", "base", str(STARTER_MODEL))
SHIPPED_ADAPTER = Model("starter-adapter", "adapter", str(STARTER_ADAPTER), str(STARTER_MODEL))
FEW = {"name": "sft", "learning_rate": 1e-3, "batch_size": 4, "rank": 4, "logging_steps": 1, "max_steps": 2}


class Trained:
    """A run that the worker has ended."""

    def __init__(self, folder: Path, dataset: Path, model: Model, settings: dict[str, object]) -> None:
        self.run = RunDir.create(
            folder, {"kind": "train", "trainer": settings}, Inputs(model=model, dataset=str(dataset))
        )
        worker = [sys.executable, "-m", "engine.work", str(self.run.path)]
        self.ended = subprocess.run(worker, capture_output=True, text=True, timeout=500)
        self.state = self.events("state")[-1]
        self.result = self.state["result"] or {}
        self.made = self.run.artifacts / "model"

    def events(self, kind):
        return [asdict(event.payload) for event in self.run.events().events if event.kind == kind]

    def curve(self, name):
        points = [(point["step"], point["values"]) for point in self.events("metric")]
        return {step: values[name] for step, values in points if name in values}

    @property
    def config(self):
        return json.loads((self.made / "adapter_config.json").read_text())

    @property
    def weights(self):
        return {name: each for file in self.made.glob("*.safetensors") for name, each in load_file(file).items()}


@pytest.fixture
def train(tmp_path, dataset):
    def run(model=STARTER, /, **settings):
        given = {name: value for name, value in {**FEW, **settings}.items() if value is not None}
        trained = Trained(tmp_path / f"run-{len(list(tmp_path.iterdir()))}", dataset, model, given)
        assert trained.state["state"] == "done", trained.ended.stderr[-2000:]
        found = (trained.result["trainable_parameters"], trained.result["all_parameters"])
        asked = Sft(Sft.Params(**given)).fitted(model)
        estimated = estimate(read_config(STARTER_MODEL), asked, 64, "cpu")
        assert found == (estimated.trainable, estimated.all_parameters), "the estimate counts what is trained"
        return trained

    return run


def test_rslora_with_noise_warm_up_and_a_least_learning_rate(train):
    steps = 8
    trained = train(
        rslora=True, neftune_alpha=5, scheduler="cosine", min_learning_rate=4e-4, warmup_steps=0.25, max_steps=steps,
        eval_steps=2, eval_delay=3, eval_batch_size=3,
    )  # fmt: skip
    assert trained.config["use_rslora"] is True
    assert trained.config["lora_alpha"] == 8, "twice the rank"
    rates = trained.curve("learning_rate")
    assert rates[1] < rates[2] < rates[3] == max(rates.values()) == pytest.approx(1e-3)
    assert 4e-4 <= rates[steps] < 5e-4, "the last is near the least"
    assert list(trained.curve("eval_loss")) == [4, 6, 8], "none before step 3"
    assert 0 <= min(trained.curve("token_accuracy").values()) <= max(trained.curve("token_accuracy").values()) <= 1
    assert list(trained.curve("eval_token_accuracy")) == [4, 6, 8]
    quiet = train(rslora=True, max_steps=1)
    assert trained.curve("loss")[1] != quiet.curve("loss")[1], "the noise changes the first loss"


def test_dora_on_named_layers_by_sgd_with_momentum(train):
    trained = train(dora=True, target_modules="q_proj,7.mlp.down_proj", optimizer="sgd", momentum=0.9)
    shape = Shape.of(read_config(STARTER_MODEL))
    q, down = shape.linear["self_attn.q_proj"], shape.linear["mlp.down_proj"]
    adapted = 4 * (8 * sum(q) + sum(down)) + 8 * q[1] + down[1]
    assert trained.result["trainable_parameters"] == adapted
    assert sum(name.endswith("lora_magnitude_vector") for name in trained.weights) == 9
    states = torch.load(trained.run.artifacts / "checkpoints" / "checkpoint-2" / "optimizer.pt", weights_only=True)[
        "state"
    ]
    assert sum(state["momentum_buffer"].numel() for state in states.values()) == adapted, "4 bytes each"
    load(Model("new", "adapter", str(trained.made), STARTER.path))


@pytest.mark.parametrize(
    "settings",
    [
        {"method": "qlora", "dora": True},
        {"base_bits": 8},
        pytest.param({"base_bits": 8, "dora": True}, marks=pytest.mark.gpu),
    ],
    ids=["4 bits, DoRA", "8 bits", "8 bits, DoRA"],
)
def test_a_quantised_base_answers_nearly_like_a_whole_one(train, settings):
    trained = train(optimizer="adamw_8bit", max_steps=1, **settings)
    plain = train(max_steps=1)
    assert trained.curve("loss")[1] == pytest.approx(plain.curve("loss")[1], rel=0.05)
    assert trained.curve("loss")[1] != plain.curve("loss")[1], "it is quantised"


@pytest.mark.parametrize("head", [False, True])
def test_the_last_layers_are_trained_and_nothing_else(train, head):
    trained = train(method="last_layers", last_layers=1, train_head=head, rank=None)
    before = {name: each for file in STARTER_MODEL.glob("*.safetensors") for name, each in load_file(file).items()}
    after = trained.weights
    assert before.keys() == after.keys()
    changed = {name for name in before if not torch.equal(before[name].float(), after[name].float())}
    assert {name.split(".")[2] for name in changed if "layers" in name} == {"7"}
    assert sum("layers.7" in name for name in changed) == 9, "every weight of the layer"
    assert ("model.embed_tokens.weight" in changed) == head, "which is the head too"
    assert trained.result["model"] == "base"
    assert trained.result["trainable_parameters"] == sum(before[name].numel() for name in changed)
    load(Model("new", "base", str(trained.made)))


def test_the_head_alone_is_trained(train):
    trained = train(method="last_layers", last_layers=0, train_head=True, rank=None, max_steps=1)
    assert trained.result["trainable_parameters"] == 8192 * 320


def test_full_training_without_evaluation(train):
    trained = train(method="full", evaluation="no", rank=None, max_steps=1, learning_rate=1e-5)
    assert not trained.curve("eval_loss")
    assert trained.result["trainable_parameters"] == trained.result["all_parameters"]
    assert "12,784,960 of 12,784,960 parameters, 100 %" in trained.ended.stderr


def test_an_early_stop_makes_the_best_checkpoint_the_model(train):
    trained = train(
        early_stopping=2, eval_steps=1, save_steps=100, learning_rate=0.5, max_steps=20, optimizer="sgd",
        max_grad_norm=0, method="full", rank=None,
    )  # fmt: skip
    losses = trained.curve("eval_loss")
    best = min(losses, key=losses.get)
    assert trained.result["best_step"] == best
    assert trained.result["steps"] == best + 2 < 20
    assert trained.result["stopped_early"] is True
    assert trained.result["eval_loss"] == losses[best]
    kept = {path.name for path in (trained.run.artifacts / "checkpoints").iterdir()}
    assert f"checkpoint-{best}" in kept
    of_best = load_file(trained.run.artifacts / "checkpoints" / f"checkpoint-{best}" / "model.safetensors")
    assert all(torch.equal(of_best[name], each) for name, each in trained.weights.items())
    assert not [
        file.name for file in trained.made.iterdir() if file.suffix in (".pt", ".pth") or file.name == "COMPLETE"
    ]


@pytest.mark.parametrize("settings", [{}, {"base_bits": 8}, {"method": "qlora"}], ids=["16", "8", "4"])
def test_an_adapter_continues_on_a_base_of_so_many_bits_with_what_it_was_made_with(train, settings):
    trained = train(SHIPPED_ADAPTER, rank=None, learning_rate=1e-6, max_steps=1, **settings)
    assert (trained.config["r"], trained.config["lora_alpha"]) == (32, 64)
    before = load_file(STARTER_ADAPTER / "adapter_model.safetensors")
    after = trained.weights
    assert before.keys() == after.keys()
    far = max(float((before[name] - after[name]).abs().max()) for name in before)
    assert 0 < far < 1e-5, "it began where the other ended"
    assert trained.result["continued_from"] == "starter-adapter"


def test_a_dora_adapter_continues_on_four_bits(train):
    first = train(dora=True, max_steps=1)
    then = train(Model("first", "adapter", str(first.made), STARTER.path), method="qlora", rank=None, max_steps=1)
    assert then.config["use_dora"] is True
    assert then.config["r"] == 4


def test_a_merged_model_is_the_base_of_a_second_stage(train):
    trained = train(Model("general-merged", "merged", STARTER.path), max_steps=1)
    assert trained.result["continued_from"] == "general-merged"
    assert trained.config["base_model_name_or_path"] == STARTER.path
    load(Model("new", "adapter", str(trained.made), STARTER.path))


@pytest.fixture
def untied(tmp_path):
    """A small model whose output head is a matrix of its own."""
    folder = tmp_path / "untied"
    torch.manual_seed(0)
    config = LlamaConfig(
        hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        vocab_size=8192, max_position_embeddings=256, tie_word_embeddings=False, eos_token_id=0, bos_token_id=None,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(STARTER_MODEL / name, folder)
    return Model("untied", "base", str(folder))


def test_an_adapter_holds_the_head_and_is_trained_further_with_it(tmp_path, dataset, untied):
    first = Trained(tmp_path / "first", dataset, untied, {**FEW, "train_head": True})
    shape = Shape.of(read_config(Path(untied.path)))
    matrices = shape.lora_parameters(4, "all-linear")
    assert first.result["trainable_parameters"] == matrices + 8192 * 64
    assert first.result["all_parameters"] == shape.parameters + matrices + 8192 * 64
    head = load_file(untied.path + "/model.safetensors")["lm_head.weight"]
    assert not torch.equal(first.weights["base_model.model.lm_head.weight"], head)
    further = Model("first", "adapter", str(first.made), untied.path)
    then = Trained(tmp_path / "then", dataset, further, {**FEW, "rank": None, "max_steps": 1})
    assert then.result["trainable_parameters"] == first.result["trainable_parameters"]
    assert then.config["modules_to_save"] == ["lm_head"]
    refused = Trained(tmp_path / "refused", dataset, further, {**FEW, "train_head": False})
    assert "trainer.train_head: the adapter has true, not false" in refused.state["error"]


def test_no_held_out_rows_no_best_checkpoint(tmp_path, dataset):
    import pyarrow.parquet as pq

    held_out = pq.read_table(dataset / "valid.parquet")
    pq.write_table(held_out.slice(0, 0), dataset / "valid.parquet")
    trained = Trained(tmp_path / "run", dataset, STARTER, {**FEW, "early_stopping": 1})
    assert trained.state["state"] == "failed"
    assert trained.state["cause"] == "user"
    assert "no row of the dataset is held out for evaluation" in trained.state["error"]


@pytest.mark.gpu
@pytest.mark.parametrize("optimizer", ["paged_adamw_8bit", "paged_adamw_32bit"])
def test_paged_optimizers_and_half_precision_on_a_gpu(train, optimizer):
    trained = train(optimizer=optimizer, precision="fp16", base_bits=8)
    assert 0 < trained.result["train_loss"] < 20


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU can")
def test_dora_on_eight_bits_needs_a_gpu(tmp_path, dataset):
    trained = Trained(tmp_path / "run", dataset, STARTER, {**FEW, "dora": True, "base_bits": 8})
    assert trained.state["cause"] == "user"
    assert "dora: on a base model in 8 bits it needs a GPU; on a CPU choose qlora" in trained.state["error"]


def test_a_head_that_is_the_embeddings_too_is_in_no_adapter(tmp_path, dataset):
    trained = Trained(tmp_path / "run", dataset, STARTER, {**FEW, "train_head": True})
    assert trained.state["cause"] == "user"
    assert "train_head: this model's output head is one with its input embeddings" in trained.state["error"]
