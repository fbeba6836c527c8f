"""A form as it stands on a page: presets above; below, alive while typing, what is wrong and what it will run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gradio as gr

from engine.control.runs import spec_json
from engine.control.workspace import Workspace
from engine.errors import UserError
from studio.clickable import plain
from studio.forms.fields import Names
from studio.forms.form import Form
from studio.guard import on
from studio.html.basics import copyable, heading
from studio.live import Live


class Panel:
    """A form with its presets, complaint, JSON and shell command; `about` draws more of a valid spec elsewhere."""

    def __init__(
        self,
        workspace: Workspace,
        kind: str,
        title: str,
        text: str,
        names: Mapping[str, Names],
        *,
        folded: Sequence[str] = (),
        recipe_apart: bool = False,
    ) -> None:
        """`recipe_apart`: the page calls `place_recipe` where it wants it."""
        self._workspace = workspace
        with gr.Row(elem_classes="title-row"):
            plain(heading(title, text))
            presets = [("none", ""), *((name, name) for name in Form.presets(kind))]
            self.preset = gr.Dropdown(presets, value="", label="Preset", filterable=False, min_width=140, scale=0)
        self.form = Form(kind, names=names, folded=folded)
        self.complaint = plain(elem_classes="complaints")
        self.recipe = plain(elem_id=f"{kind}-recipe", render=False)
        if not recipe_apart:
            self.place_recipe(is_open=False)

    def place_recipe(self, *, is_open: bool) -> None:
        """JSON and shell command, where this is called."""
        with gr.Accordion("The same as a shell command and as JSON", open=is_open, elem_classes="more"):
            self.recipe.render()

    def wire(self, live: Live, about: Callable[[Any], str] | None = None, about_part: Any = None) -> None:
        """Connect it to its page; `about` draws more of a valid spec on `about_part`."""
        form = self.form
        parts = [self.complaint, self.recipe, *([about_part] if about else [])]

        def preview(*values: Any) -> list[str]:
            try:
                spec = form.spec(values)
                more = [about(spec)] if about else []
            except UserError as error:
                return [form.complaint(error), *[gr.skip()] * (len(parts) - 1)]
            return ["", self._recipe(spec), *more]

        def fill(name: str) -> list[Any]:
            return form.fill_preset(name)

        def choices(*values: Any) -> list[Any]:
            return [_choices(list(each.names()), value) for each, value in zip(form.choosers, values, strict=True)]

        preview.__module__ = fill.__module__ = choices.__module__ = form.kind
        changes = [widget.change for widget in form.inputs]
        live.show(preview, form.inputs, parts, also=changes, ticks=False)
        on(self.preset.change, fill, self.preset, form.outputs)
        widgets = [each.widget for each in form.choosers]
        if widgets:
            live.show(choices, widgets, widgets)

    def _recipe(self, spec: Any) -> str:
        command = self._workspace.runs.command(spec)
        return copyable(command, "Shell command") + copyable(spec_json(spec), "JSON")


def _choices(names: list[str], value: Any) -> Any:
    """What there is to choose from now; the first of it where nothing is chosen."""
    return gr.update(choices=names, value=names[0]) if names and value in ("", None) else gr.update(choices=names)
