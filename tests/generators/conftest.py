"""The tiny models of `tiny_models.py`."""

from __future__ import annotations

from tiny_models import tiny, tiny_adapter  # noqa: F401
