"""Adapters take turns on a base model that is loaded once; each is bit for bit what a fresh load gives."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_models import make_adapter, make_model

from engine.domain import Model
from engine.errors import UserError
from engine.generators.beam import Beam
from engine.models import loading, swapping
from engine.models.loading import load
from engine.models.swapping import Memory

IDS = torch.tensor([[100, 200, 300, 400, 500]])


@pytest.fixture(scope="module")
def other_adapter(tmp_path_factory, tiny):
    """Of fewer layers, so that what an earlier one changed would show."""
    return saved(tiny, tmp_path_factory.mktemp("other-adapter"), target_modules=["q_proj", "down_proj"])


def saved(base, folder, **settings):
    """A LoRA adapter with these settings of peft."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(7)
    made = AutoModelForCausalLM.from_pretrained(base.path, local_files_only=True)
    config = LoraConfig(**{"r": 4, "init_lora_weights": False, "task_type": "CAUSAL_LM", **settings})
    made = get_peft_model(made, config)
    with torch.no_grad():
        for name, weight in made.named_parameters():
            if "modules_to_save" in name or name.endswith(".bias"):
                weight.add_(0.5)
    made.save_pretrained(folder)
    return Model(folder.name, "adapter", str(folder), base.path)


@pytest.fixture
def loads(monkeypatch):
    """The folders of the base models that were read, one after another."""
    read = []

    def counted(folder, **options):
        read.append(folder)
        return whole(folder, **options)

    whole = loading.load_weights
    monkeypatch.setattr(loading, "load_weights", counted)
    return read


@torch.inference_mode()
def logits(loaded):
    return loaded.model(input_ids=IDS).logits


def assert_as_fresh(found, model, bits=16):
    fresh = load(model, bits=bits)
    assert torch.equal(logits(found), logits(fresh))
    weights, expected = found.model.state_dict(), fresh.model.state_dict()
    assert weights.keys() == expected.keys()
    assert all(torch.equal(weights[name], expected[name]) for name in expected)
    assert (found.model.training, found.context) == (False, fresh.context)


def test_each_is_exactly_what_a_fresh_load_gives(tiny, tiny_adapter, other_adapter, loads):
    memory = Memory()
    for model in (tiny_adapter, other_adapter, tiny, tiny_adapter, tiny_adapter, other_adapter):
        found = memory.load(model)
        assert len(loads) == 1, "the base model is read once"
        assert_as_fresh(found, model)
        del loads[1:]
    assert not torch.equal(logits(load(tiny_adapter)), logits(load(other_adapter)))


@pytest.fixture
def halves(monkeypatch):
    """Weights in bf16, as on a GPU: adapters stay beside them."""
    monkeypatch.setattr(loading, "best_dtype", lambda device: torch.bfloat16)


@pytest.mark.parametrize(("bits", "reads"), [(16, 1), (8, 1), (4, 4)])  # on a CPU, 4 bits cannot be used again
def test_an_adapter_beside_its_base_is_taken_off(bits, reads, tiny, tiny_adapter, other_adapter, loads, halves):
    memory, read = Memory(bits), 0
    for model in (tiny_adapter, other_adapter, tiny, tiny_adapter):
        del loads[:]
        found = memory.load(model)
        read += len(loads)
        assert_as_fresh(found, model, bits)
    assert read == reads


@pytest.mark.parametrize(
    "settings",
    [
        {"target_modules": ["q_proj"], "modules_to_save": ["norm"]},
        {"target_modules": ["q_proj"], "use_dora": True},
        {"target_modules": ["embed_tokens"]},
    ],
)
def test_what_cannot_be_taken_off_exactly_is_not(settings, tiny, tiny_adapter, loads, tmp_path):
    odd, memory = saved(tiny, tmp_path / "odd", **settings), Memory()
    assert_as_fresh(memory.load(odd), odd)
    del loads[:]
    found = memory.load(tiny_adapter)
    assert len(loads) == 1, "the base model is read again"
    assert_as_fresh(found, tiny_adapter)


def test_weights_that_a_file_calls_otherwise_are_not_read_from_it(tiny, tmp_path):
    model = load(tiny).model
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    layer = "model.layers.0.self_attn.q_proj"
    assert not swapping.restore(model, tmp_path, [layer])
    other = make_model(tmp_path / "other", hidden=32)
    assert not swapping.restore(model, Path(other.path), [layer]), "of another shape"
    assert all(torch.equal(weight, before[name]) for name, weight in model.named_parameters())


def test_another_base_model_takes_the_place_of_the_first(tiny, tiny_adapter, tmp_path, loads):
    other, memory = make_model(tmp_path / "other", hidden=32), Memory()
    for model in (tiny_adapter, other, tiny_adapter):
        del loads[:]
        found = memory.load(model)
        assert loads == [Path(model.weights)]
        assert_as_fresh(found, model)


def test_an_adapter_that_does_not_fit_is_refused_and_the_next_one_is_right(tiny, tiny_adapter, tmp_path):
    other = make_model(tmp_path / "other", hidden=32)
    wrong = replace(make_adapter(tmp_path / "wrong", other), base=tiny.path)
    memory = Memory()
    memory.load(tiny_adapter)
    with pytest.raises(UserError, match="made for another base model"):
        memory.load(wrong)
    assert_as_fresh(memory.load(tiny_adapter), tiny_adapter)


def test_a_generator_that_is_given_another_adapter_writes_as_a_new_one(tiny_adapter, other_adapter, loads):
    prompts = ["def add(a, b):\n    return a", "x = "]

    def written_by(beam, model):
        beam.load(model, 0)
        return dict(beam.generate(prompts, 3))

    one = Beam(Beam.Params(max_new_tokens=8))
    first, second, third = (written_by(one, model) for model in (tiny_adapter, other_adapter, tiny_adapter))
    assert len(loads) == 1
    assert first == third == written_by(Beam(one.params), tiny_adapter)
    assert second == written_by(Beam(one.params), other_adapter)
    assert first != second


def test_a_swap_takes_a_fraction_of_a_load(tmp_path, halves):
    """Of processor time, with weights of 8 bits."""
    base = make_model(tmp_path / "large", hidden=1024)
    adapters = [make_adapter(tmp_path / name, base, seed=seed) for seed, name in enumerate(("one", "other"))]
    memory = Memory(8)
    memory.load(adapters[0])
    swap = least(lambda: memory.load(adapters[1]), lambda: memory.load(adapters[0]))
    fresh = least(lambda: load(adapters[1], bits=8), lambda: load(adapters[0], bits=8))
    print(f"swap {swap:.3f} s, fresh {fresh:.3f} s")
    assert swap < fresh / 2


def least(*calls):
    times = []
    for call in calls:
        began = time.process_time()
        call()
        times.append(time.process_time() - began)
    return min(times)
