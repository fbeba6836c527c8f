"""The studio in the browser: layout and wiring only; what it shows and does is in `engine.control`.

Gradio is imported here first. Its import rewrites the type stubs of its own components every time, which takes half of
the time to the first page. It skips classes whose source file cannot be found, so during the import none is found.
It also imports pandas for its tables, of which there are none here: that takes 0.7 s and 65 MiB.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from studio.later import import_later


@contextmanager
def _no_type_stubs() -> Iterator[None]:
    def unknown(_: Any) -> str:
        raise OSError("no type stub is wanted")

    getfile, inspect.getfile = inspect.getfile, unknown  # type: ignore[assignment]
    try:
        yield
    finally:
        inspect.getfile = getfile


os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
# no statistics of its own, which it computes anew with pandas after every click, for a page that we do not link to
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", str(10**12))
os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "1")
import_later("pandas")
with _no_type_stubs():
    import gradio  # noqa: F401
