"""The question whether a dataset should be deleted, with the runs that use it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from studio.clickable import GONE, hidden_field, plain, show_or_hide
from studio.guard import on
from studio.html.dataset_facts import deletion
from studio.page import Frame

CLASSES = ("buttons", "asked")


class Deletion:
    """Hidden until it is asked for; make it where it should stand, then call `wire`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._about = hidden_field("")  # the dataset that somebody is asked about
        with gr.Row(elem_classes=[*CLASSES, GONE]) as self._asked:
            self._meaning = plain()
            self._really = gr.Button("Delete it", variant="stop", size="sm", min_width=88)
            self._leave = gr.Button("No", size="sm", min_width=64)

    def wire(self, page: str, shown: Any, button: Any, cleared: Sequence[Any]) -> None:
        """`button` asks about the dataset in `shown`; once it is deleted, the fields `cleared` are emptied."""
        datasets, about = self._frame.workspace.datasets, self._about

        def ask(name: str | None) -> str:
            return name or ""

        def leave() -> str:
            return ""

        def draw(name: str, held: str | None) -> list[Any]:
            if not name or name != held:
                return ["", show_or_hide(False, *CLASSES)]
            return [deletion(name, datasets.used_by(name)), show_or_hide(True, *CLASSES)]

        def delete(name: str) -> list[Any]:
            if name:
                datasets.delete(name)
                gr.Info(f"Dataset {name} is deleted.")
            return ["", *[""] * len(cleared)]

        on(button.click, ask, shown, about, name=f"{page}_ask")
        on(self._leave.click, leave, None, about, name=f"{page}_leave")
        on(self._really.click, delete, about, [about, *cleared], name=f"{page}_delete")
        drawn = [self._meaning, self._asked]
        self._frame.live.show(draw, [about, shown], drawn, also=[about.change, shown.change], ticks=False)
