"""Every registered generator keeps the contract, with a tiny random model."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from engine.generators import registry
from engine.generators.contract import check

sys.path.append(str(Path(__file__).resolve().parents[1] / "generators"))

from tiny_models import tiny  # noqa: F401

SETTINGS = {"beam": {"max_new_tokens": 8}, "sampling": {"max_new_tokens": 8}}


@pytest.mark.parametrize("name", registry.names())
def test_the_contract_holds(name, tiny):  # noqa: F811
    params = registry.params({"name": name, **SETTINGS.get(name, {})})
    check(registry.plugin(name), params, tiny)
