"""The form that imports a file of patches: dropped, recognised by its fields, tested here or with its own verdicts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from engine.candidates import benchmark_of
from engine.errors import UserError
from engine.exchange.reading import recognised
from engine.plugins import BENCHMARKS
from studio.clickable import click_value, hidden_field, plain
from studio.dropped import file_zone
from studio.forms.fields import css_class
from studio.forms.panel import Panel
from studio.guard import on
from studio.html.basics import complaint, esc
from studio.page import Frame

ENDINGS = ".jsonl,.json,.csv,.parquet"
TEXT = "Patches that any other program made are listed as a run, and can be compared with one."
NO_FILE = "file: drop a file of patches above, or enter its path"


class ImportForm:
    """Make it inside gr.Blocks, in a column of its own."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._zone = file_zone("Drop a file of patches here, or choose one", ENDINGS)
        self._received = plain()
        self.panel = Panel(frame, "validate", "Import patches", TEXT, {}, recipe_apart=True, linked=False)
        self._refused = hidden_field("")  # what is wrong with a file that was dropped

    def wire(self, button: Any, do: Callable[[Any], list[Any]], outputs: list[Any]) -> None:
        """Pressing `button` calls `do` with the spec, for `outputs`."""
        panel, uploads = self.panel, self._frame.workspace.uploads
        form = panel.form
        file, maker, keeps = (form.widget(name) for name in ("file", "maker", "keep_verdicts"))
        benchmark = form.plugin("benchmark")

        def take_file(chosen: str, event: gr.EventData) -> list[Any]:
            """A file was uploaded: fill in what it says; the form stays as it is where it is not understood."""
            path = Path(click_value(event))
            try:
                found = recognised(path)
            except (UserError, OSError) as error:
                uploads.forget(path)
                return [gr.skip()] * 4 + [str(error)]
            named = benchmark_of(found.bug_id, BENCHMARKS.names()) or benchmark.read(chosen)["name"]
            return [str(path), found.who, found.has_verdicts, benchmark.written(named, {}), ""]

        def draw_received(refused: str, named: str) -> list[str]:
            if refused:
                return [complaint(f"{refused}. The form below is as it was.", [])]
            path = Path(named)
            if not named or not uploads.holds(path):
                return [""]
            try:
                found = recognised(path)
            except (UserError, OSError) as error:
                return [complaint(f"{error}.", [css_class("file")])]
            verdicts = (
                "with verdicts, which can be kept" if found.has_verdicts else "without verdicts: they are tested here"
            )
            return [f'<p class="dim">{esc(path.name)} is in the form below: {esc(found.title)}, {verdicts}.</p>']

        def start(spec: Any) -> list[Any]:
            if not spec.file:
                raise UserError(NO_FILE, field="file")
            return do(panel.submit(spec))

        filled = [file, maker, keeps, benchmark.widget, self._refused]
        on(self._zone.upload, take_file, [benchmark.widget], filled, name="patches_take_file")
        shown = [self._refused, file]
        self._frame.live.show(draw_received, shown, [self._received], also=[each.change for each in shown], ticks=False)
        panel.start(button, start, outputs, name="patches_import")
        panel.wire()
