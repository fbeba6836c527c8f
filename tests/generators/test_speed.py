"""The speed of beam search with random weights: all of the work is done, and what does not fit is said before."""

from __future__ import annotations

import pytest

from engine.assets import STARTER_MODEL
from engine.errors import UserError
from engine.generators.beam import Beam
from engine.generators.speed import Work, measure
from engine.models import random_weights
from engine.models.published import SHAPES
from engine.models.shape import Shape, read_config

TINY = {
    "model_type": "llama", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 300, "max_position_embeddings": 64,
}  # fmt: skip
WORK = Work(prompts=3, prompt_tokens=20, new_tokens=6, beams=4, rounds=2)


def test_every_completion_has_all_its_tokens(monkeypatch):
    answered = []
    whole = Beam.generate

    def generate(self, prompts, n):
        for index, completions in whole(self, prompts, n):
            answered.append((len(prompts[index].split()), [each.n_tokens for each in completions]))
            yield index, completions

    monkeypatch.setattr(Beam, "generate", generate)
    found = measure(TINY, WORK)
    assert answered == [(20, [6] * 4)] * (1 + 2 * 3), "one to warm up, and two rounds of three"
    assert len(found.seconds) == 2
    slow, fast = max(found.seconds), min(found.seconds)
    assert 3 / slow * 0.9 <= found.prompts_per_s <= 3 / fast * 1.1
    assert found.new_tokens_per_s == pytest.approx(found.prompts_per_s * 4 * 6, rel=0.01)


def test_the_model_has_the_shape_and_its_memory_is_told():
    config = read_config(STARTER_MODEL)
    found = measure(config, Work(prompts=1, prompt_tokens=8, new_tokens=2, beams=2, rounds=1))
    assert found.parameters == Shape.of(config).parameters
    assert found.weights_bytes == found.parameters * (4 if found.dtype == "float32" else 2)
    assert found.peak_memory_bytes > found.weights_bytes


@pytest.mark.parametrize(
    ("name", "published"),
    [("CodeLlama-7B", 6_738_546_688), ("Qwen2.5-7B", 7_615_616_512), ("Qwen2.5-1.5B", 1_543_714_304)],
)
def test_a_published_shape_has_the_published_number_of_parameters(name, published):
    assert Shape.of(SHAPES[name]).parameters == published


@pytest.mark.parametrize(
    ("config", "work", "complaint"),
    [
        (TINY, Work(1, 60, 6, 2), "a sequence of 66 tokens, new ones included, exceeds the 64 that it takes"),
        ({**TINY, "model_type": "nothing"}, WORK, "no model can be made of this config.json"),
        ({}, WORK, "no model can be made of this config.json"),
    ],
)
def test_what_cannot_be_measured_is_said(config, work, complaint):
    with pytest.raises(UserError, match=complaint):
        measure(config, work)


def test_weights_that_do_not_fit_are_not_made(monkeypatch):
    monkeypatch.setattr(random_weights.torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(random_weights.psutil, "virtual_memory", lambda: type("Memory", (), {"available": 10**6})())
    with pytest.raises(UserError, match="its weights need 30.1 GiB in torch.float32, and 0.0 GiB are free on this cpu"):
        measure(SHAPES["CodeLlama-7B"], WORK)
