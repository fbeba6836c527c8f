from __future__ import annotations

import pytest
from pydantic import ValidationError

from engine.spec_files import preset_names, read_spec
from engine.trainers.sft import Sft


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"method": "full", "base_bits": 8}, r"base_bits 8 needs method lora \(got full\)"),
        ({"method": "qlora", "base_bits": 8}, "got qlora"),
        ({"method": "qlora", "precision": "fp16"}, "qlora computes in bf16 or fp32"),
        ({"packing": True, "group_by_length": True}, "packing has no padding that group_by_length could save"),
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
