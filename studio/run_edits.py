"""Below a run on Monitor: fields for its name and note, and the question whether it should be deleted."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr

from engine.control.views import RunView
from engine.errors import UserError
from studio.clickable import click_value
from studio.deletion import Deletion
from studio.guard import on
from studio.html.basics import esc
from studio.html.dataset_facts import named_runs
from studio.page import Frame

# A form of the browser's own: as Gradio's parts the two fields would be a fifth of the page's.
SCRIPT = """
element.addEventListener('submit', (event) => {
  event.preventDefault();
  trigger('select', {value: JSON.stringify(Object.fromEntries(new FormData(event.target)))});
});
"""


def fields(run: RunView) -> str:
    """The name and the note of a run, to be changed."""
    return (
        f'<details class="edit" data-key="edit"><summary>Rename, note</summary><form autocomplete="off">'
        f'<input type="hidden" name="run" value="{run.id}">'
        f'<label>Name <input name="name" value="{esc(run.name)}" maxlength="100"></label>'
        f'<label class="wide">Note <input name="note" value="{esc(run.note)}" maxlength="2000" '
        'placeholder="what this run was for"></label><button class="small">Save</button></form></details>'
    )


class RunEdits:
    """Make it where it should stand, then call `wire`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._form = gr.HTML("", js_on_load=SCRIPT, apply_default_css=False)
        self._deletion = Deletion(frame)

    def wire(self, shown: Any, delete: Any, cleared: list[Any]) -> None:
        """`shown`: the field with the number of the run; `delete`: the button that asks whether it should go."""
        workspace = self._frame.workspace

        def draw(number: int) -> list[str]:
            try:
                return [fields(workspace.runs.get(number)) if number else ""]
            except UserError:  # it has just been deleted
                return [""]

        def save(event: gr.EventData) -> None:
            try:
                told = json.loads(click_value(event) or "{}")
                number, name, note = int(told["run"]), str(told["name"]).strip(), str(told["note"])
            except (ValueError, LookupError, TypeError, RecursionError):
                return  # not what this page sends
            workspace.edits.annotate(number, note)
            workspace.edits.rename(number, name)
            gr.Info(f"Run {number} is saved.")

        def meaning(number: str) -> str:
            run = workspace.runs.get(int(number))
            what = f"run {run.id} ({esc(run.name)}) with its folder and all it made"
            if users := workspace.edits.users(run.id):
                return (
                    f"<p>Delete {what}? Its result was used by {named_runs(users)}. "
                    "They keep theirs, and can no longer be resumed or repeated.</p>"
                )
            return f"<p>Delete {what}? No other run uses its result.</p>"

        def remove(number: str) -> str:
            workspace.edits.delete(int(number))
            return f"Run {number} is deleted."

        self._frame.live.show(draw, [shown], [self._form], also=[shown.change])
        on(self._form.select, save, None, None, name="monitor_save_edits")
        self._deletion.wire("monitor", shown, delete, cleared, meaning, remove)
