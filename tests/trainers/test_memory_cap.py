"""A memory cap, with torch's calls replaced: this machine may have no GPU."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
import torch

from engine.assets import STARTER_MODEL
from engine.errors import UserError
from engine.main_memory import main_memory
from engine.models.published import SHAPES
from engine.params import explain
from engine.spec_files import read_spec
from engine.trainers.memory_cap import placement
from engine.trainers.memory_estimate import estimate
from engine.trainers.sft import Sft
from engine.trainers.weights import _load_options

GB = 10**9
CODELLAMA = json.dumps(SHAPES["CodeLlama-7B"])
CARD = torch.device("cuda", 0)


@pytest.fixture
def fractions(monkeypatch):
    """The fractions that torch was told, on a card of 10 GB."""
    told = []
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (9 * GB, 10 * GB))
    monkeypatch.setattr(
        torch.cuda, "set_per_process_memory_fraction", lambda share, device: told.append((share, device))
    )
    return told


@pytest.fixture
def codellama(tmp_path):
    (tmp_path / "config.json").write_text(CODELLAMA)
    return tmp_path


def test_without_a_cap_all_of_it_goes_to_the_device(fractions, codellama):
    assert placement(Sft.Params(), codellama, CARD) == {"device_map": {"": CARD}}
    assert fractions == []


def test_torch_is_told_the_share_of_the_card(fractions, codellama):
    assert placement(Sft.Params(memory_cap_mb=6000), codellama, CARD) == {"device_map": {"": CARD}}
    placement(Sft.Params(memory_cap_mb=60_000), codellama, CARD)
    assert fractions == [(0.6, CARD), (1.0, CARD)]


def test_what_does_not_fit_beside_a_step_stays_in_main_memory(fractions, codellama):
    params = Sft.Params(method="qlora", batch_size=1, activation_checkpointing=True, memory_cap_mb=4000, offload=True)
    found = placement(params, codellama, CARD, 512)
    needed = estimate(SHAPES["CodeLlama-7B"], params, 512, "cuda")
    assert found["device_map"] == "auto"
    assert found["max_memory"][0] == needed.weights
    assert sum(needed.parts.values()) == 4 * GB
    assert 0 < found["max_memory"]["cpu"] <= main_memory().total_bytes


def test_a_cap_below_a_single_layer_is_refused_with_the_numbers(fractions, codellama):
    params = Sft.Params(method="qlora", batch_size=8, memory_cap_mb=1000, offload=True)
    with pytest.raises(
        UserError, match=r"memory_cap_mb: with every layer but one in main memory .* the cap is 1,000 MB"
    ):
        placement(params, codellama, CARD, 1024)


def test_on_a_cpu_it_is_said_that_it_has_no_effect(caplog):
    params = Sft.Params(method="qlora", memory_cap_mb=6000, offload=True)
    with caplog.at_level(logging.WARNING):
        found = placement(params, Path(STARTER_MODEL), torch.device("cpu"))
    assert found == {"device_map": {"": torch.device("cpu")}}
    assert "have no effect" in caplog.text


def test_quantised_layers_may_stay_in_main_memory_only_with_offload():
    for offload in (False, True):
        params = Sft.Params(method="qlora", memory_cap_mb=6000, offload=offload)
        config = _load_options(params, torch.bfloat16)["quantization_config"]
        assert config.llm_int8_enable_fp32_cpu_offload is offload


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(offload=True), "offload needs memory_cap_mb"),
        (dict(offload=True, memory_cap_mb=6000), "offload needs a base in 4 or 8 bits"),
        (dict(memory_cap_mb=10), "greater than or equal to 500"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(settings, message):
    with pytest.raises(ValueError, match=message) as raised:
        Sft.Params(**settings)
    assert explain(raised.value)


def test_the_preset_has_the_cap_of_its_source():
    trainer = read_spec("train", "stablecode-10gb").trainer
    assert (trainer.memory_cap_mb, trainer.offload, trainer.cap_bytes) == (6000, True, 6 * GB)
