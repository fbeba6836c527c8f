"""A form for a user's own faulty code and its tests, which become a bug that is chosen at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from engine.control.own_bugs import MOST_CHARS, Kept, Pasted
from engine.errors import UserError
from studio.forms.plugin_settings import PluginSettings
from studio.guard import on
from studio.page import Frame
from studio.talking import Asked, asked, talking

TEXTS = (  # name, label, help, rows
    ("code", "Faulty code", "one file, Python or Java", 6),
    ("tests", "Tests", "pytest or JUnit; at least one fails", 6),
    ("fixed", "Fixed code", "if it is known", 3),
)
FIELDS = (  # name, label, example
    ("lines", "Faulty lines", "4 or 4-6; not needed with the fixed code"),
    ("file", "File name", "gcd.py; empty: as the tests call it"),
)


def form() -> str:
    """A form of the browser's own, which is drawn once and stays as it is typed."""
    texts = "".join(
        f'<label>{label} <span class="dim">{help_text}</span><textarea name="{name}" rows="{rows}" spellcheck="false">'
        f'</textarea></label><input type="file" accept=".py,.java" data-into="{name}" aria-label="{label} from a file">'
        for name, label, help_text, rows in TEXTS
    )
    fields = "".join(
        f'<label>{label} <input name="{name}" placeholder="{example}" autocomplete="off"></label>'
        for name, label, example in FIELDS
    )
    return (
        '<details class="own" data-key="own"><summary>Your own code and tests</summary>'
        f'<form data-do="own" data-stays>{texts}{fields}'
        '<button class="small">Run its tests and choose it</button></form></details>'
    )


def read(told: Asked) -> Pasted:
    """What was typed. Raises UserError if it was too long to be sent."""
    if told.what != "own":
        raise UserError(f"the code and its tests should have at most {MOST_CHARS:,} characters together")
    return Pasted(*(told.field(name) for name in ("code", "tests", "fixed", "lines", "file")))


class OwnCode:
    """Make it where it should stand, then call `wire`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._form = talking(value=form())

    def wire(self, benchmark: PluginSettings, bug: Any, closed: Sequence[Any]) -> None:
        """`benchmark`, `bug`: which are chosen; `closed`: fields that are 0 where no conversation is open."""

        def add(event: gr.EventData) -> list[Any]:
            gr.Info("Running the tests on the faulty code.")
            kept = self._frame.workspace.own_bugs.add(read(asked(event)))
            gr.Info(said(kept))
            where = benchmark.written("folder", {"folder": kept.benchmark["folder"]})
            return [where, kept.bug_id, *[0] * len(closed)]

        on(self._form.select, add, None, [benchmark.widget, bug, *closed], name="chat_add_own")


def said(kept: Kept) -> str:
    """What the tests showed."""
    failing, of = len(kept.failing), len(kept.failing) + len(kept.passing)
    return f"{failing} of {of} tests {'fails' if failing == 1 else 'fail'} on this code. Press Repair."
