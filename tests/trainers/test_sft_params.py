from __future__ import annotations

import pytest
from pydantic import ValidationError

from engine.errors import UserError
from engine.models.adapters import Lora
from engine.spec_files import preset_names, read_spec
from engine.trainers.sft import Sft


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"method": "full", "base_bits": 8}, r"base_bits 8 needs method lora \(got full\)"),
        ({"method": "qlora", "base_bits": 8}, "got qlora"),
        ({"method": "qlora", "precision": "fp16"}, "qlora computes in bf16 or fp32"),
        ({"packing": True, "group_by_length": True}, "packing has no padding that group_by_length could save"),
        ({"speed": "auto", "packing": True}, "speed auto chooses packing itself"),
        ({"speed": "auto", "activation_checkpointing": True}, "speed auto chooses activation_checkpointing itself"),
        ({"checkpoint_every": 2}, "checkpoint_every needs activation_checkpointing"),
        ({"attention": "varlen"}, "attention varlen is for packed rows"),
        ({"target_modules": "q_proj,,v_proj"}, "write all-linear, or names of layers"),
        ({"target_modules": "q proj"}, "write all-linear, or names of layers"),
        ({"rank": 0}, "greater than 0"),
        ({"dropout": 1.0}, "less than 1"),
        ({"keep_checkpoints": 1}, "greater than or equal to 2"),
        ({"ranks": 3}, "Extra inputs"),
    ],
)
def test_contradicting_settings_are_refused_with_a_message(settings, words):
    with pytest.raises(ValidationError, match=words):
        Sft.Params(**settings)


def test_layers_may_be_named_with_spaces_between():
    assert Sft.Params(target_modules="q_proj, v_proj").layer_names == ["q_proj", "v_proj"]


def test_the_few_settings_in_sight_are_those_that_matter():
    shown = [name for name, field in Sft.Params.model_fields.items() if not (field.json_schema_extra or {}).get("more")]
    assert shown == ["name", "method", "rank", "alpha", "learning_rate", "epochs", "batch_size"]


def test_every_shipped_preset_is_valid():
    names = preset_names("train")
    assert {"demo", "repairllama", "stablecode-10gb"} <= set(names)
    for name in names:
        assert read_spec("train", name).trainer.name == "sft"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"method": "last_layers", "last_layers": 0}, "trains nothing; set train_head to true"),
        ({"method": "full", "dora": True}, r"dora needs method lora or qlora \(got full\)"),
        ({"target_modules": "q_proj,lm_head"}, "leave it out and set train_head to true"),
        ({"min_learning_rate": 1e-6}, r"min_learning_rate needs scheduler cosine \(got linear\)"),
        ({"min_learning_rate": 1.0, "scheduler": "cosine"}, "should be less than learning_rate"),
        ({"evaluation": "steps"}, "evaluation by steps needs eval_steps"),
        ({"evaluation": "epoch", "eval_steps": 4}, r"eval_steps needs evaluation steps \(got epoch\)"),
        ({"evaluation": "no", "early_stopping": 2}, "early_stopping needs evaluations"),
        ({"evaluation": "no", "best_checkpoint": True}, "best_checkpoint needs evaluations"),
    ],
)
def test_settings_that_would_do_nothing_are_refused(settings, words):
    with pytest.raises(ValidationError, match=words):
        Sft.Params(**settings)


def test_who_says_how_many_steps_are_between_evaluations_has_them_by_steps():
    assert Sft.Params(eval_steps=4).evaluation == "steps"
    assert Sft.Params().evaluation == "epoch"


def test_what_is_left_open_is_a_new_adapters_or_the_adapters_own():
    own = Lora(8, 4, 0.5, rslora=True, dora=False, train_head=False, layers=frozenset())
    new, mine, asked = Sft.Params().filled(), Sft.Params().filled(own), Sft.Params(rank=64, dora=True).filled(own)
    assert (new.rank, new.alpha, new.dropout, new.rslora, new.target_modules) == (16, 32, 0, False, "all-linear")
    assert (mine.rank, mine.alpha, mine.dropout, mine.rslora) == (8, 4, 0.5, True)
    assert (asked.rank, asked.dora) == (64, True)
    assert Sft.Params(rank=64).filled().alpha == 128


def test_nothing_is_watched_where_a_shell_says_false():
    said = read_spec("train", "", ["trainer.wandb_watch=false"]).trainer
    assert said.wandb_watch == "false"
    with pytest.raises(UserError, match="should be 'false', 'gradients' or 'all'"):
        read_spec("train", "", ["trainer.wandb_watch=true"])
