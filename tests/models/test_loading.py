from __future__ import annotations

import shutil

import pytest
from tiny_models import make_adapter, make_model

from engine.domain import Model
from engine.errors import UserError
from engine.models.loading import load


def refused(model, words):
    with pytest.raises(UserError, match=words):
        load(model)


def test_a_missing_folder_is_refused(tmp_path):
    refused(Model("m", "base", str(tmp_path / "none")), "there is no folder")


def test_a_folder_without_weights_is_refused(tiny, tmp_path):
    shutil.copytree(tiny.path, tmp_path / "m")
    for weights in (tmp_path / "m").glob("*.safetensors"):
        weights.rename(weights.with_suffix(".bin"))
    refused(Model("m", "base", str(tmp_path / "m")), r"no weights.*pickles, which are never loaded")


def test_a_folder_without_config_is_refused(tmp_path):
    refused(Model("m", "base", str(tmp_path)), r"config.json is missing")


def test_a_folder_without_tokenizer_is_refused(tiny, tmp_path):
    shutil.copytree(tiny.path, tmp_path / "m")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / "m" / name).unlink()
    refused(Model("m", "base", str(tmp_path / "m")), "holds no tokenizer")


def test_torn_weights_are_refused(tiny, tmp_path):
    shutil.copytree(tiny.path, tmp_path / "m")
    weights = tmp_path / "m" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    refused(Model("m", "base", str(tmp_path / "m")), "cannot be loaded")


def test_an_adapter_of_another_base_model_is_refused(tiny_adapter, tmp_path):
    other = make_model(tmp_path / "other", hidden=32)
    refused(
        Model("a", "adapter", tiny_adapter.path, other.path),
        r"made for another base model.*and the base model has 64 there",
    )


def test_a_base_model_given_as_adapter_is_refused(tiny):
    refused(Model("a", "adapter", tiny.path, tiny.path), r"holds no adapter: adapter_config.json is missing")


def test_an_adapter_given_as_base_is_refused(tiny_adapter):
    refused(Model("a", "base", tiny_adapter.path), "an adapter, not a whole model")


def test_merging_in_memory_changes_nothing(tiny, tmp_path):
    import torch

    adapter = make_adapter(tmp_path / "a", tiny)
    ids = torch.arange(10, 30)[None]
    with torch.inference_mode():
        base, merged, apart = (
            load(model, merge=merge).model(ids).logits
            for model, merge in ((tiny, None), (adapter, True), (adapter, False))
        )
    assert torch.allclose(merged, apart, atol=1e-4)
    assert not torch.allclose(merged, base, atol=1e-2)
