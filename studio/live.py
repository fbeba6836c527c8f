"""The parts of a page that are updated: drawn when what they show may have changed, and sent when it has.

A script on the page (assets/follow.html) asks once a second for the workspace's stamp. Only when that has changed, or
something was chosen or typed, it sends the values of the page's fields. The server then draws the parts whose fields or
stamp differ from those of their last drawing, and returns what differs from what this page was last sent. The page
itself stores what it was sent, as digests; the server stores nothing about a page.

Gradio's own events are not used for this on purpose: there each update takes 8 ms of a core however little has changed,
and leaves a copy of every widget in a session.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import gradio as gr

from engine.errors import UserError
from studio.checked import cleaned
from studio.clickable import plain
from studio.guard import sentence

Draw = Callable[..., Sequence[Any]]
FOLLOW = "window.studio.follow(NAME, element, () => trigger('tick'), () => trigger('apply'));"
LOOK = "(...values) => window.studio.look(NAME, values)"
TAKE = "(...values) => window.studio.take(NAME, values, WRITTEN)"
SKIP = gr.skip()
DRAWINGS = 32  # kept for each page


@dataclass(frozen=True)
class Part:
    """One function that draws some outputs from some inputs."""

    draw: Draw
    inputs: Sequence[Any]
    outputs: Sequence[Any]
    ticks: bool  # drawn again when the workspace changes; else only when its inputs do


@dataclass(frozen=True)
class Sent:
    """Digests of what a part was last drawn for, and of what each of its outputs was last sent."""

    asked: str = ""
    pieces: tuple[str, ...] = ()


class Live:
    """The updated parts of one page: create it inside the page, add parts with `show`, then call `watch`."""

    def __init__(self, name: str, stamp: Callable[[], str]) -> None:
        """`name`: of the page; `stamp`: returns a different text whenever anything may have changed."""
        self.name, self._stamp = name, stamp
        self.parts: list[Part] = []
        self._drawings = Drawings()
        self._triggers: list[Any] = []
        script = FOLLOW.replace("NAME", json.dumps(name))
        self._pulse = gr.HTML("", html_template="", js_on_load=script, visible="hidden")
        self._trouble = plain(elem_classes="trouble")

    def show(
        self, draw: Draw, inputs: Sequence[Any], outputs: Sequence[Any], also: Sequence[Any] = (), ticks: bool = True
    ) -> None:
        """Show `draw(*inputs)` on `outputs`: again when the workspace changes, if it `ticks`, and when `also` fires.

        Nothing else may write to these outputs.
        """
        self.parts.append(Part(draw, inputs, outputs, ticks))
        self._triggers += also

    @property
    def inputs(self) -> list[Any]:
        """The fields that the parts are drawn from, without duplicates."""
        return list({field._id: field for part in self.parts for field in part.inputs}.values())

    def watch(self) -> None:
        """Connect the parts to the page's script; call it once, after the last `show`."""
        shown = [self._trouble, *(place for part in self.parts for place in part.outputs)]
        assert len({place._id for place in shown}) == len(shown), "two parts write to one output"
        fields = [field._id for field in self.inputs]
        written = [(at, fields.index(place._id)) for at, place in enumerate(shown) if place._id in fields]
        look = LOOK.replace("NAME", json.dumps(self.name))
        take = TAKE.replace("NAME", json.dumps(self.name)).replace("WRITTEN", json.dumps(written))
        own: dict[str, Any] = {"fn": None, "inputs": self.inputs, "api_visibility": "private"}
        gr.on([self._pulse.tick, *self._triggers], js=look, api_name=f"{self.name}_look", **own)
        gr.on(self._pulse.apply, outputs=shown, js=take, api_name=f"{self.name}_take", **own)

    def look(self, sent: object, values: Sequence[Any]) -> dict[str, Any]:
        """The answer to a page: changed `pieces` by the index of their output, and digests of all it was `sent`.

        `sent` is what the last answer had, or anything else if there was none. Raises UserError on values that no page
        of ours sends.
        """
        inputs = self.inputs
        if len(values) != len(inputs):
            raise UserError("there should be one value for each field of the page; reload it")
        held = {field._id: cleaned(field, value) for field, value in zip(inputs, values, strict=True)}
        stamp = self._stamp()
        now: list[Sent] = []
        pieces: list[Any] = []
        complaints: list[str] = []
        for part, before in zip(self.parts, read_sent(sent, len(self.parts)), strict=True):
            try:
                arguments = [held[field._id] for field in part.inputs]
                known, changed = self._drawings.since(before, part, stamp, arguments)
            except (Exception, SystemExit) as error:  # the other parts are still drawn
                known, changed = Sent("", before.pieces), [SKIP for _ in part.outputs]
                complaints.append(f'<p class="complaint" role="alert">{sentence(error, part.draw)}</p>')
            now.append(known)
            pieces += changed
        return {
            "stamp": "" if complaints else stamp,  # a part that could not be drawn is tried again without any change
            "sent": [[each.asked, *each.pieces] for each in now],
            "length": len(pieces) + 1,
            "pieces": {0: "".join(complaints)} | {at: piece for at, piece in enumerate(pieces, 1) if piece != SKIP},
        }


class Drawings:
    """The latest drawings of one page, so that a part is drawn once for all browsers that show the same."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, str], Future[list[Any]]] = OrderedDict()
        self._lock = threading.Lock()

    def since(self, before: Sent, part: Part, stamp: str, values: list[Any]) -> tuple[Sent, list[Any]]:
        """The digests of a part now, and an update for each of its outputs. Raises what drawing raises."""
        asked = _digest((stamp if part.ticks else "", values))
        if asked == before.asked:
            return before, [SKIP for _ in part.outputs]
        drawn = self._shared((id(part), asked), part, values) if part.ticks else list(part.draw(*values))
        assert len(drawn) == len(part.outputs), part.draw.__qualname__
        drawn = [_as_sent(piece) for piece in drawn]
        digests = tuple(map(_digest, drawn))
        known = before.pieces if len(before.pieces) == len(drawn) else ("",) * len(drawn)
        changed = [piece if now != was else SKIP for piece, now, was in zip(drawn, digests, known, strict=True)]
        return Sent(asked, digests), changed

    def _shared(self, key: tuple[int, str], part: Part, values: list[Any]) -> list[Any]:
        with self._lock:
            is_mine = key not in self._kept
            drawing = self._kept.setdefault(key, Future())
            self._kept.move_to_end(key)
            while len(self._kept) > DRAWINGS:
                self._kept.popitem(last=False)
        if is_mine:
            try:
                drawing.set_result(list(part.draw(*values)))
            except BaseException as error:
                with self._lock:
                    self._kept.pop(key, None)
                drawing.set_exception(error)
        return drawing.result()


def _digest(value: Any) -> str:
    return hashlib.blake2b(repr(value).encode("utf-8", "replace"), digest_size=6).hexdigest()


def _as_sent(piece: Any) -> Any:
    """A drawn piece as Gradio's script takes it: choices as pairs of label and value."""
    if isinstance(piece, dict) and "choices" in piece:
        pairs = [list(each) if isinstance(each, tuple) else [each, each] for each in piece["choices"]]
        return {**piece, "choices": pairs}
    return piece


def read_sent(rows: Any, parts: int) -> list[Sent]:
    """The digests that a page returned; empty ones if they cannot be read, so that everything is sent again."""
    try:
        sent = [Sent(row[0], tuple(row[1:])) for row in rows]
    except (LookupError, TypeError):
        sent = []
    return sent if len(sent) == parts else [Sent()] * parts
