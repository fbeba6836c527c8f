"""The tiny models of `tests/generators/tiny_models.py`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "generators"))

from tiny_models import tiny, tiny_adapter  # noqa: F401
