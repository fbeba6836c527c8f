"""Redraw on a timer, but only when something differs from what this browser was last sent, and only what differs.

Gradio's page works hard for every output of every event, changed or not, and for a container with all that is in it.
So the timer only looks, with nothing on the page as its output; what it finds to be drawn is drawn by a second event.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from studio.guard import on

TIMES = 3  # a part that is just being put on the page loses what comes meanwhile, so a change is sent again
Known = Sequence[tuple[str, int]]  # of each part: what was sent last, and how often


def live(triggers: Sequence[Any], draw: Callable[..., Sequence[Any]], inputs: Sequence[Any], outputs: Any) -> None:
    """Whenever a trigger fires, show `draw(*inputs)` on `outputs`. Nothing else may write to these outputs."""
    sent, due = gr.State([]), gr.State(0)

    def look(known: Known, number: int, *values: Any) -> Any:
        return number + 1 if any(_is_due(part, of) for part, of in _pairs(draw(*values), known)) else gr.skip()

    def redraw(known: Known, *values: Any) -> list[Any]:
        pairs = _pairs(draw(*values), known)
        now = [(repr(part), min(times + 1, TIMES) if repr(part) == text else 1) for part, (text, times) in pairs]
        return [now, *(part if _is_due(part, of) else gr.skip() for part, of in pairs)]

    look.__name__, redraw.__name__ = f"look_{draw.__name__}", draw.__name__
    look.__module__ = redraw.__module__ = draw.__module__
    ticks = [trigger for trigger in triggers if trigger.event_name == "tick"]
    at_once = [trigger for trigger in triggers if trigger.event_name != "tick"]
    on(ticks, look, [sent, due, *inputs], due)
    on([due.change, *at_once], redraw, [sent, *inputs], [sent, *outputs], live=True)


def _pairs(drawn: Sequence[Any], known: Known) -> list[tuple[Any, tuple[str, int]]]:
    return list(zip(drawn, known or [("", 0)] * len(drawn), strict=True))


def _is_due(part: Any, known: tuple[str, int]) -> bool:
    return repr(part) != known[0] or known[1] < TIMES
