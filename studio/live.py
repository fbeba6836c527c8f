"""Redraw on a timer, but send only the parts that differ from what this browser was last sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from studio.guard import on

TIMES = 3  # a part that is just being put on the page loses what comes meanwhile, so a change is sent again


def live(triggers: Sequence[Any], draw: Callable[..., Sequence[Any]], inputs: Sequence[Any], outputs: Any) -> Any:
    """Whenever a trigger fires, show `draw(*inputs)` on `outputs`. Nothing else may write to these outputs."""
    sent = gr.State(())

    def redraw(before: Sequence[tuple[str, int]], *values: Any) -> list[Any]:
        drawn = list(draw(*values))
        known = before or [("", 0)] * len(drawn)
        now, parts = [], []
        for part, (text, times) in zip(drawn, known, strict=True):
            is_same = repr(part) == text
            parts.append(gr.skip() if is_same and times >= TIMES else part)
            now.append((repr(part), min(times + 1, TIMES) if is_same else 1))
        return [now, *parts]

    redraw.__name__, redraw.__module__ = draw.__name__, draw.__module__
    return on(list(triggers), redraw, [sent, *inputs], [sent, *outputs], live=True)
