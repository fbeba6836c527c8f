"""`bench train` and `bench generate` print what they measured, in words or as JSON, with the machine and the versions."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from engine.models.published import SHAPES
from engine.shell.cli import app

TINY = {
    "model_type": "llama", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 300, "max_position_embeddings": 64,
}  # fmt: skip
SMALL = ["--prompts", "2", "--prompt-tokens", "16", "--new-tokens", "4", "--beams", "3", "--rounds", "1"]


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(TINY))
    return path


def said(*words, code=0, verb="generate"):
    done = CliRunner().invoke(app, ["bench", verb, *map(str, words)])
    assert done.exit_code == code, (done.output, done.exception)
    return done


def test_as_json_with_machine_and_versions(config):
    found = json.loads(said("--shape", config, *SMALL, "--json").output)
    assert (found["prompts"], found["prompt_tokens"], found["new_tokens"], found["beams"]) == (2, 16, 4, 3)
    assert found["prompts_per_s"] > 0
    assert found["new_tokens_per_s"] == pytest.approx(found["prompts_per_s"] * 3 * 4, rel=0.01)
    assert found["peak_memory_bytes"] > found["weights_bytes"] > 0
    assert found["ratio"] == pytest.approx(found["prompts_per_s"] / found["alone_prompts_per_s"], rel=0.01)
    assert found["machine"]["cpu"]
    assert found["versions"]["torch"]


def test_in_words_from_a_models_folder(config):
    text = said("--shape", config.parent, *SMALL).output
    assert "2 prompts of 16 tokens, 3 beams, 4 new tokens each" in text
    assert "prompts/s" in text
    assert "peak memory" in text


@pytest.mark.parametrize("content", [None, "[]", "no JSON"])
def test_a_shape_that_is_none_is_the_users_error(tmp_path, content):
    path = tmp_path / "shape.json"
    if content is not None:
        path.write_text(content)
    assert "shape: " in said("--shape", path, code=2).stderr


@pytest.mark.slow
def test_training_is_measured_in_two_ways(config):
    found = json.loads(said("--shape", config, "--steps", "2", "--json", verb="train").stdout)
    assert found["ratio"] == pytest.approx(found["ours"]["tokens_per_s"] / found["default"]["tokens_per_s"], rel=0.01)
    assert found["default"]["computed_tokens"] > found["default"]["tokens"] == found["ours"]["tokens"]
    assert found["ours"]["computed_tokens"] == found["ours"]["tokens"], "packed rows have no padding"
    assert found["settings"]["packing"]
    assert min(found[way]["peak_memory_bytes"] for way in ("default", "ours")) > 0
    assert "tokens/s" in said("--shape", config, "--steps", "1", verb="train").output


def test_a_shape_that_does_not_fit_is_refused_with_what_it_needs(monkeypatch):
    from engine.models import random_weights

    monkeypatch.setattr(random_weights.torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(random_weights.psutil, "virtual_memory", lambda: type("Memory", (), {"available": 10**9})())
    words = said("--shape", "codellama-7b", verb="train", code=2).stderr
    assert "its weights need 30.1 GiB in torch.float32, and 0.9 GiB are free" in " ".join(words.split())


def test_the_published_shapes_are_named_in_the_help():
    words = CliRunner().invoke(app, ["bench", "generate", "--help"]).output
    assert [name for name in SHAPES if name not in words] == []
