"""Models by name, folder or hub id, and what is said of a folder that holds none."""

from __future__ import annotations

import json
import shutil

import pytest

from engine.assets import STARTER_ADAPTER, STARTER_MODEL
from engine.errors import UserError


def test_the_shipped_models_are_always_there(workspace):
    assert workspace.models.names("base") == ["starter"]
    assert workspace.models.resolve("starter-adapter").base == str(STARTER_MODEL)


def test_a_folder_is_a_model_too(workspace, tmp_path):
    shutil.copytree(STARTER_MODEL, tmp_path / "mine")
    assert workspace.models.resolve(str(tmp_path / "mine")).kind == "base"


def test_a_folder_without_weights_says_so(workspace, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_text("")
    with pytest.raises(UserError, match=r"holds no weights: no \.safetensors file"):
        workspace.models.resolve(str(tmp_path))


def test_a_folder_that_is_no_model_says_so(workspace, tmp_path):
    with pytest.raises(UserError, match=r"holds no model: config\.json is missing"):
        workspace.models.resolve(str(tmp_path))


def test_an_adapter_whose_base_is_not_here_says_which(workspace, tmp_path):
    shutil.copytree(STARTER_ADAPTER, tmp_path / "a")
    path = tmp_path / "a" / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"base_model_name_or_path": "/gone/model"}))
    with pytest.raises(UserError, match="the base model of the adapter .* is '/gone/model', which is not here"):
        workspace.models.resolve(str(tmp_path / "a"))


def test_a_hub_id_is_left_to_the_worker(workspace):
    assert workspace.models.resolve("codellama/CodeLlama-7b-hf").path == "codellama/CodeLlama-7b-hf"
