"""The parts of a page that follow what happens: redrawn when they differ from what this browser was last sent.

Gradio's page works hard for every event, and harder for every output of it, changed or not. So a page has one event
a second, which only looks, with nothing but small hidden numbers as its outputs; each part that is found to be due
has its number raised, and that draws it. Opening the page looks too instead of drawing: Gradio fires a tab's `select`
again whenever something in it has changed, and drawing changes something.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.guard import on

TIMES = 3  # a part that is just being put on the page loses what comes meanwhile, so a change is sent again
Known = Sequence[tuple[str, int]]  # of each output: what was sent last, and how often
Draw = Callable[..., Sequence[Any]]


@dataclass(frozen=True)
class Part:
    """One function that draws some outputs from some inputs."""

    draw: Draw
    inputs: Sequence[Any]
    ticks: bool  # looked at every tick, not only when the page opens
    sent: Any  # gr.State of Known
    due: Any  # hidden number; raised, it redraws

    def is_due(self, known: Known, values: Sequence[Any]) -> bool:
        return any(_differs(piece, of) for piece, of in _pairs(self.draw(*values), known))

    def redraw(self, known: Known, *values: Any) -> list[Any]:
        pairs = _pairs(self.draw(*values), known)
        now = [(repr(piece), min(times + 1, TIMES) if repr(piece) == text else 1) for piece, (text, times) in pairs]
        return [now, *(piece if _differs(piece, of) else gr.skip() for piece, of in pairs)]


class Live:
    """What follows on one page; make it inside the page, tell it the parts, then let it `watch`."""

    def __init__(self, *opens: Any, period_s: float = 1.0, active: bool = True) -> None:
        """`opens`: the events with which the page comes into sight."""
        self.timer = gr.Timer(period_s, active=active)
        self._opens = list(opens)
        self._parts: list[Part] = []

    def show(
        self, draw: Draw, inputs: Sequence[Any], outputs: Sequence[Any], also: Sequence[Any] = (), ticks: bool = True
    ) -> None:
        """Keep `draw(*inputs)` on `outputs`: when the page opens, every tick if it `ticks`, at once when `also` fires.

        Nothing else may write to these outputs.
        """
        part = Part(draw, inputs, ticks, gr.State([]), gr.Number(0, visible="hidden", container=False))
        self._parts.append(part)

        def redraw(known: Known, *values: Any) -> list[Any]:
            return part.redraw(known, *values)

        redraw.__name__, redraw.__module__ = draw.__name__, draw.__module__
        on([part.due.change, *also], redraw, [part.sent, *inputs], [part.sent, *outputs], live=True)

    def watch(self, name: str) -> None:
        """Look at the parts when the page opens and whenever its timer ticks; call it once, when all are known."""
        self._look(f"{name}_open", self._opens, self._parts)
        self._look(f"{name}_look", [self.timer.tick], [part for part in self._parts if part.ticks])

    def _look(self, name: str, triggers: list[Any], parts: Sequence[Part]) -> None:
        def look(*values: Any) -> Any:
            left = list(values)
            raised = []
            for part in parts:
                known, number, *mine = [left.pop(0) for _ in range(2 + len(part.inputs))]
                raised.append(number + 1 if part.is_due(known, mine) else gr.skip())
            return raised if len(raised) > 1 else raised[0]

        module, _, look.__name__ = name.partition("_")
        look.__module__ = f"studio.{module}"
        asked = [field for part in parts for field in (part.sent, part.due, *part.inputs)]
        if parts and triggers:
            on(triggers, look, asked, [part.due for part in parts], live=True)


def _pairs(drawn: Sequence[Any], known: Known) -> list[tuple[Any, tuple[str, int]]]:
    return list(zip(drawn, known or [("", 0)] * len(drawn), strict=True))


def _differs(piece: Any, known: tuple[str, int]) -> bool:
    return repr(piece) != known[0] or known[1] < TIMES
