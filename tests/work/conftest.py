"""The tiny models of `tests/generators/tiny_models.py`, the bugs of `small_benchmark.py`, and small datasets."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "generators"))

from built_in_parts import given, in_parts, small_blocks  # noqa: F401
from small_benchmark import small  # noqa: F401
from small_dataset import build_of, make  # noqa: F401
from tiny_models import tiny, tiny_adapter  # noqa: F401
