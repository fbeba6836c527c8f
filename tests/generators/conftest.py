"""The tiny models of `tiny_models.py`, and the services of `services.py`."""

from __future__ import annotations

from services import serve, url  # noqa: F401
from tiny_models import tiny, tiny_adapter  # noqa: F401
