"""The shipped presets hold the figures that their sources published."""

from __future__ import annotations

import pytest

from engine.plugins import TRAINERS
from engine.spec_files import preset_names, preset_source, read_spec
from engine.models.shape import read_config
from engine.assets import STARTER_MODEL

PUBLISHED = {  # the design's table of presets, and where a source differs from a default of ours
    "repairllama": {
        "method": "lora", "base_bits": 8, "rank": 8, "alpha": 16, "dropout": 0.05, "target_modules": "q_proj,v_proj",
        "learning_rate": 5e-4, "scheduler": "cosine", "epochs": 2, "batch_size": 16, "accumulation": 1,
        "precision": "fp16", "optimizer": "adamw",
    },
    "repairllama-full": {
        "method": "full", "precision": "bf16", "learning_rate": 2e-5, "scheduler": "cosine", "warmup_steps": 0.02,
        "epochs": 2, "batch_size": 4, "beta1": 0.9, "beta2": 0.95, "weight_decay": 0.1,
    },
    "firefly-qlora": {
        "method": "qlora", "rank": 64, "alpha": 16, "dropout": 0.05, "target_modules": "all-linear",
        "learning_rate": 1e-4, "scheduler": "constant", "warmup_steps": 0, "epochs": 2, "batch_size": 3,
        "accumulation": 3, "optimizer": "paged_adamw_32bit", "max_grad_norm": 0.3, "weight_decay": 0,
    },
    "codellama-methods2test-8bit": {
        "method": "lora", "base_bits": 8, "learning_rate": 1e-4, "scheduler": "cosine", "warmup_steps": 100,
        "max_steps": 10_000, "batch_size": 8, "accumulation": 16, "weight_decay": 0.05,
    },
    "stablecode-10gb": {
        "method": "qlora", "rank": 8, "alpha": 32, "dropout": 0.05, "target_modules": "all-linear",
        "learning_rate": 2e-5, "scheduler": "linear", "warmup_steps": 20, "max_steps": 2000, "batch_size": 1,
        "accumulation": 4, "optimizer": "paged_adamw_8bit", "weight_decay": 0.01, "logging_steps": 2,
    },
    "codecapypara-lora": {
        "method": "lora", "rank": 8, "alpha": 16, "dropout": 0.05, "target_modules": "q_proj,v_proj",
        "learning_rate": 2e-5, "scheduler": "linear", "warmup_steps": 1000, "epochs": 5, "batch_size": 2,
    },
    "codecapypara-full": {
        "method": "full", "learning_rate": 2e-5, "scheduler": "linear", "warmup_steps": 1000, "epochs": 5,
        "batch_size": 2,
    },
    "lca-full": {
        "method": "full", "learning_rate": 3.5e-5, "scheduler": "cosine", "min_learning_rate": 5e-8,
        "warmup_steps": 50, "max_steps": 600, "batch_size": 1, "accumulation": 64, "beta1": 0.9, "beta2": 0.999,
        "weight_decay": 0.01, "max_grad_norm": 2.0, "eval_steps": 25,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_preset_holds_what_was_published(name):
    trainer = read_spec("train", name).trainer
    assert {each: getattr(trainer, each) for each in PUBLISHED[name]} == PUBLISHED[name]


@pytest.mark.parametrize("name", preset_names("train"))
def test_a_preset_says_where_it_is_from_and_can_be_estimated(name):
    assert preset_source("train", name)
    estimated = TRAINERS.create(read_spec("train", name).trainer).estimate(read_config(STARTER_MODEL), 1024, "cuda")
    assert estimated.total > 0


def test_a_benchmark_of_repairllama_reads_the_published_prompt():
    spec = read_spec("benchmark", "repairllama")
    assert (spec.representation.name, spec.representation.mark) == ("ir4_or2", "literal")
    assert spec.representation.begin == "<s>"
    assert (spec.generator.name, spec.generator.max_new_tokens, spec.candidates) == ("beam", 256, 10)
