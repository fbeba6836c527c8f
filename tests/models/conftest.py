"""The tiny models and the small training set of `tests/generators/tiny_models.py`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "generators"))

from tiny_models import tiny, tiny_adapter, write_dataset  # noqa: F401


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path / "set")
