"""Every registered trainer keeps the contract, on a tiny random model."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from engine.trainers import registry
from engine.trainers.contract import check

TESTS = Path(__file__).resolve().parents[1]
sys.path.append(str(TESTS / "generators"))

from tiny_models import tiny, write_dataset  # noqa: E402, F401

pytestmark = pytest.mark.slow

SETTINGS = {
    "sft": {
        "rank": 4, "batch_size": 4, "max_steps": 6, "save_steps": 2, "logging_steps": 1, "dropout": 0.1,
        "learning_rate": 1e-2,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", registry.names())
def test_the_contract_holds(name, tiny, tmp_path):  # noqa: F811
    params = registry.params({"name": name, **SETTINGS.get(name, {})})
    check(registry.plugin(name), params, tiny, write_dataset(tmp_path / "set"), tmp_path)
