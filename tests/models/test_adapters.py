"""What is read of an adapter without torch: its base model, its settings, its layers."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from engine.assets import STARTER_ADAPTER, STARTER_MODEL
from engine.errors import UserError
from engine.models import adapters

LINEAR = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}


@pytest.fixture
def changed(tmp_path):
    """A copy of the starter adapter with other values in its configuration."""

    def change(**values):
        folder = tmp_path / "adapter"
        shutil.copytree(STARTER_ADAPTER, folder, dirs_exist_ok=True)
        config = json.loads((STARTER_ADAPTER / adapters.CONFIG).read_text())
        (folder / adapters.CONFIG).write_text(json.dumps(config | values))
        return folder

    return change


def test_the_starter_adapter_says_what_it_is():
    assert adapters.base_of(STARTER_ADAPTER) == str(STARTER_MODEL)
    own = adapters.lora_of(STARTER_ADAPTER)
    assert (own.rank, own.alpha, own.dropout, own.rslora, own.dora, own.train_head) == (32, 64, 0, False, False, False)
    assert adapters.linear_layers(STARTER_MODEL) == own.layers, "no embedding is among them"
    assert {name.rpartition(".")[2] for name in own.layers} == LINEAR
    assert len(own.layers) == 8 * len(LINEAR)


def test_an_adapter_says_how_it_scales_and_what_it_holds_beside_matrices(changed):
    own = adapters.lora_of(changed(use_rslora=True, use_dora=True, modules_to_save=["lm_head"], lora_alpha=0.5))
    assert (own.rslora, own.dora, own.train_head, own.alpha) == (True, True, True, 0.5)


def test_layers_are_named_by_the_end_of_their_names():
    layers = ["model.layers.1.mlp.up_proj", "model.layers.11.mlp.up_proj", "model.layers.1.mlp.gate_up_proj"]
    assert adapters.named(["up_proj"], layers) == set(layers[:2])
    assert adapters.named(["1.mlp.up_proj"], layers) == {layers[0]}
    assert adapters.named([], layers) == set()


@pytest.mark.parametrize("stated", ["meta/llama", str(STARTER_MODEL)])
def test_the_base_is_a_hub_id_or_a_folder_that_is_here(changed, stated):
    assert adapters.base_of(changed(base_model_name_or_path=stated)) == stated


@pytest.mark.parametrize("stated", ["/gone/model", "", None])
def test_another_base_is_named(changed, stated):
    with pytest.raises(UserError, match=f"the base model of the adapter .* is '{stated or ''}', which is not here"):
        adapters.base_of(changed(base_model_name_or_path=stated))


def test_layers_are_those_with_matrices_whatever_the_configuration_says(changed):
    assert adapters.lora_of(changed(target_modules=r".*\.(q|v)_proj")).layers == adapters.linear_layers(STARTER_MODEL)
    folder = changed(target_modules=["model.layers.0.self_attn.q_proj"])
    (folder / adapters.WEIGHTS).unlink()
    assert adapters.lora_of(folder).layers == {"model.layers.0.self_attn.q_proj"}, (
        "of the hub there may be no more than the configuration"
    )


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (adapters.CONFIG, b"{broken", "is not a JSON object"),
        (adapters.CONFIG, b"[1]", "is not a JSON object"),
        (adapters.CONFIG, b"[" * 100_000, "is not a JSON object"),
        (adapters.CONFIG, b"\xff", "is not a JSON object"),
        (adapters.CONFIG, b"{}", r"states no rank and alpha \(r, lora_alpha\)"),
        (adapters.WEIGHTS, b"", "is not a whole safetensors file"),
        (adapters.WEIGHTS, b"\xff" * 100, "is not a whole safetensors file: a header of"),
        (adapters.WEIGHTS, b"\x02" + b"\0" * 7 + b"{}"[:1], "is not a whole safetensors file"),
    ],
)
def test_a_broken_file_is_named(changed, name, content, said):
    folder = changed()
    (folder / name).write_bytes(content)
    with pytest.raises(UserError, match=f"{folder / name} {said}"):
        adapters.lora_of(folder)


def test_nothing_heavy_is_loaded():
    code = "import sys, engine.models.adapters; assert not {'torch', 'peft', 'safetensors'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
