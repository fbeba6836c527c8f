"""A completion ends at the first special token, whichever list of the tokenizer's configuration it is in."""

from __future__ import annotations

import json
import shutil

import torch
from tiny_models import make_model

from engine.assets import STARTER_MODEL
from engine.generators.batches import read_back, stop_ids
from engine.models.loading import load


def test_a_token_that_is_only_flagged_as_special_ends_a_completion(tmp_path):
    model = make_model(tmp_path)
    shutil.copy(STARTER_MODEL / "tokenizer_config.json", tmp_path)
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    del config["extra_special_tokens"]
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    loaded = load(model)
    end = loaded.tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert end not in loaded.tokenizer.all_special_ids, "or this test shows nothing"
    assert end in stop_ids(loaded).tolist()
    written = [*loaded.tokenizer("return a", add_special_tokens=False)["input_ids"], end, end]
    (completion,) = read_back(torch.tensor([written]), torch.tensor([-0.5]), loaded)
    assert (completion.text, completion.is_finished) == ("return a", True)
