"""The question whether a dataset or a run should be deleted, with the runs that use it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from studio.clickable import GONE, hidden_field, plain, show_or_hide
from studio.guard import on
from studio.page import Frame

CLASSES = ("buttons", "asked")


class Deletion:
    """Hidden until it is asked for; make it where it should stand, then call `wire`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._about = hidden_field("")  # what somebody is asked about
        with gr.Row(elem_classes=[*CLASSES, GONE]) as self._asked:
            self._meaning = plain()
            self._really = gr.Button("Delete it", variant="stop", size="sm", min_width=88)
            self._leave = gr.Button("No", size="sm", min_width=64)

    def wire(
        self,
        page: str,
        shown: Any,
        button: Any,
        cleared: Sequence[Any],
        meaning: Callable[[str], str],
        remove: Callable[[str], str],
    ) -> None:
        """`button` asks about what is in the field `shown`, saying `meaning` of it in HTML.

        `remove` deletes it and returns what is then said; the fields `cleared` are emptied.
        """
        about = self._about

        def ask(name: str | int | None) -> str:
            return str(name or "")

        def leave() -> str:
            return ""

        def is_shown(name: str, held: str | int | None) -> bool:
            return bool(name) and name == str(held or "")

        def draw(name: str, held: str | int | None) -> list[Any]:
            if not is_shown(name, held):
                return ["", show_or_hide(False, *CLASSES)]
            return [meaning(name), show_or_hide(True, *CLASSES)]

        def delete(name: str, held: str | int | None) -> list[Any]:
            if is_shown(name, held):  # nothing else can be deleted
                gr.Info(remove(name))
            return ["", *[0 if isinstance(each, gr.Number) else "" for each in cleared]]

        on(button.click, ask, shown, about, name=f"{page}_ask")
        on(self._leave.click, leave, None, about, name=f"{page}_leave")
        on(self._really.click, delete, [about, shown], [about, *cleared], name=f"{page}_delete")
        drawn = [self._meaning, self._asked]
        self._frame.live.show(draw, [about, shown], drawn, also=[about.change, shown.change], ticks=False)
