"""A file of Firefly's training arguments becomes the spec of a training."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from engine.errors import UserError
from engine.shell.cli import app
from engine.spec_files import notes_on, read_spec

# train_args/sft/qlora of github.com/yangjianxin1/Firefly, with the values of the design's table
ARGUMENTS = {
    "output_dir": "output/firefly-codellama-13b", "model_name_or_path": "codellama/CodeLlama-13b-hf",
    "train_file": "./data/train.jsonl", "template_name": "", "train_mode": "qlora", "num_train_epochs": 2,
    "per_device_train_batch_size": 3, "gradient_accumulation_steps": 3, "learning_rate": 1e-4, "max_seq_length": 2048,
    "logging_steps": 100, "save_steps": 500, "save_total_limit": 1, "lr_scheduler_type": "constant_with_warmup",
    "warmup_steps": 0, "lora_rank": 64, "lora_alpha": 16, "lora_dropout": 0.05, "gradient_checkpointing": True,
    "disable_tqdm": False, "optim": "paged_adamw_32bit", "seed": 42, "fp16": True, "report_to": "tensorboard",
    "dataloader_num_workers": 0, "save_strategy": "steps", "weight_decay": 0, "max_grad_norm": 0.3,
    "remove_unused_columns": False,
}  # fmt: skip


@pytest.fixture
def file(tmp_path):
    def write(**changed):
        path = tmp_path / "arguments.json"
        path.write_text(json.dumps({key: value for key, value in {**ARGUMENTS, **changed}.items() if value is not ...}))
        return str(path)

    return write


def test_the_published_arguments_are_the_preset(file):
    read, preset = read_spec("train", file()), read_spec("train", "firefly-qlora")
    assert (read.model, read.seed) == (preset.model, 42)
    changed = {"logging_steps": 100, "save_steps": 500, "evaluation": "no"}
    assert read.trainer.model_dump() == preset.trainer.model_dump() | changed


def test_what_is_not_taken_over_is_said_with_the_place_for_it(file):
    notes = notes_on("train", file())
    assert [note.partition(" ")[0] for note in notes] == ["train_file", "max_seq_length", "output_dir", "report_to"]
    assert "it is the dataset's max_tokens" in notes[1]
    assert notes_on("train", "firefly-qlora") == notes_on("merge", file()) == []


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({"train_mode": "lora"}, {"method": "lora", "precision": "fp16"}),
        ({"train_mode": "full", "bf16": True}, {"method": "full", "precision": "bf16", "rank": None}),
        ({"warmup_steps": ..., "warmup_ratio": 0.03}, {"warmup_steps": 0.03}),
        ({"max_steps": 50}, {"max_steps": 50}),
        ({"max_steps": -1}, {"max_steps": None}),
        ({"eval_strategy": "steps", "eval_steps": 5}, {"evaluation": "steps", "eval_steps": 5}),
        ({"lr_scheduler_type": "cosine", "neftune_noise_alpha": 5}, {"scheduler": "cosine", "neftune_alpha": 5}),
    ],
)
def test_other_arguments(file, changed, wanted):
    trainer = read_spec("train", file(**changed)).trainer
    assert {name: getattr(trainer, name) for name in wanted} == wanted


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"lora_rnk": 8}, "lora_rnk: no such arguments of Firefly are known"),
        ({"task_type": "dpo"}, "task_type: only sft is read"),
        ({"optim": "lion"}, "optim: should be one of adamw_hf, .* .got 'lion'."),
        ({"lora_rank": 0}, "trainer.rank: should be greater than 0"),
        ({"train_mode": []}, "train_mode: should be one of lora, qlora, full"),
        ({"max_steps": "many"}, "max_steps: should be a whole number .got 'many'."),
        ({"save_total_limit": None}, "save_total_limit: should be a whole number"),
        ({"model_name_or_path": 3}, "model: "),
    ],
)
def test_what_cannot_be_read_is_refused(file, changed, said):
    with pytest.raises(UserError, match=said):
        read_spec("train", file(**changed))


def test_an_override_changes_what_the_file_says(file, tmp_path):
    assert read_spec("train", file(), ["trainer.rank=8", "model=starter"]).trainer.rank == 8


def test_the_shell_prints_the_notes_and_lists_sources(file, tmp_path):
    home = ["--home", str(tmp_path / "home")]
    tried = CliRunner().invoke(app, ["train", file(), "--set", "model=starter", *home])
    assert "dataset" in tried.stderr, "it names no dataset yet"
    listed = CliRunner().invoke(app, ["presets"]).stdout
    assert "    firefly-qlora: Firefly (github.com/yangjianxin1/Firefly)" in listed
