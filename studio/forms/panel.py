"""A form with presets above, and below it, updated while typing, what is wrong and the shell command it would run."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import gradio as gr

from engine.control.views import RunView
from engine.errors import UserError
from engine.spec_files import spec_json
from engine.specs import parse
from studio.clickable import hidden_field, marking, plain
from studio.forms.fields import Names, css_class, text_of
from studio.forms.form import Form
from studio.guard import on
from studio.html.basics import copyable, esc, heading
from studio.page import Frame


class Panel:
    """A form with its presets, error message, JSON and shell command.

    A link can fill it: `?tab=train&again=7` with the settings of run 7, `use=model:mine` with one setting,
    `use=builder.verdicts.runs:6,model:mine` with several.
    """

    def __init__(
        self,
        frame: Frame,
        kind: str,
        title: str,
        text: str,
        names: Mapping[str, Names],
        *,
        folded: Sequence[str] = (),
        below: Mapping[str, Any] | None = None,
        recipe_apart: bool = False,
        linked: bool = True,
    ) -> None:
        """`folded`, `below`: as a `Form` has them.

        `recipe_apart`: the page itself calls `place_recipe`, where JSON and command should be.

        `linked`: a link can fill it; only one form of a page can be that.
        """
        self._frame, self._is_linked = frame, linked
        self.again, self.use = hidden_field(0), hidden_field("")
        with gr.Row(elem_classes="title-row"):
            plain(heading(title, text))
            presets = [("none", ""), *((name, name) for name in Form.presets(kind))]
            self.preset = gr.Dropdown(presets, value="", label="Preset", filterable=False, min_width=140, scale=0,
                                      visible=len(presets) > 1)  # fmt: skip
        self._origin = plain()
        self.form = Form(kind, names=names, folded=folded, below=below)
        self.refused = hidden_field("")  # what a start of this form was refused for, as JSON
        self.complaint = marking(elem_classes="complaints", render=False)
        self.recipe = plain(elem_id=f"{kind}-recipe", render=False)
        if not recipe_apart:
            self.place_recipe(is_open=False)

    def place_complaint(self) -> None:
        """What is wrong, where this is called: above the button that starts the run."""
        self.complaint.render()  # type: ignore[no-untyped-call]

    def place_recipe(self, *, is_open: bool) -> None:
        """Add JSON and shell command to the page at this point."""
        with gr.Accordion("The same as a shell command and as JSON", open=is_open, elem_classes="more"):
            self.recipe.render()  # type: ignore[no-untyped-call]

    def wire(
        self,
        about: Callable[[Any], str] | None = None,
        about_part: Any = None,
        command: Callable[..., str] | None = None,
        more: Sequence[Any] = (),
    ) -> None:
        """Connect the events of the form; `about_part` shows what `about` returns for a valid spec.

        `command(spec, *values of more)`: the shell command where fields beside the form change it. Raises UserError.
        """
        form, live = self.form, self._frame.live
        told = command or self._frame.workspace.runs.command
        parts = [self.complaint, self._origin, self.recipe, *([about_part] if about else [])]

        def preview(again: int, refused: str, *all_values: Any) -> list[str]:
            others, values = all_values[: len(more)], all_values[len(more) :]
            try:
                spec = form.spec(values)
                recipe = copyable(told(spec, *others), "Shell command") + copyable(spec_json(spec), "JSON")
                drawn = [about(spec)] if about else []
            except UserError as error:
                return [form.complaint(error, values) + self._stale, *[gr.skip()] * (len(parts) - 1)]
            return [self._refusal(refused, values), self._changes(again, spec), recipe, *drawn]

        def fill_preset(name: str) -> list[Any]:
            return [*form.fill_preset(name), *([0, ""] if name else [gr.skip()] * 2)]

        def fill(again: int, use: str) -> list[Any]:
            if not again and not use:
                return [gr.skip()] * len(form.inputs)
            return form.fill(self._asked(again) if again else self._using(use))

        def choices(*values: Any) -> list[Any]:
            fields = zip(form.choosers, values, strict=True)
            return [_choices(list(each.names()) if each.names else [], value) for each, value in fields]

        asked = [self.again, self.use]
        shown = [self.again, self.refused, *more, *form.inputs]
        live.show(preview, shown, parts, also=[widget.change for widget in shown], ticks=False)
        on(self.preset.input, fill_preset, self.preset, [*form.inputs, *asked], name=f"{form.kind}_fill_preset")
        filled = on([each.change for each in asked], fill, asked, form.inputs, name=f"{form.kind}_fill")
        self._keep_over_reload(filled, asked)
        form.watch(live)
        widgets = [each.widget for each in form.choosers]
        if widgets:
            live.show(choices, widgets, widgets)
        if self._is_linked:
            self._frame.keep("again", self.again, check=self._asked)
            self._frame.keep("use", self.use, check=self._using)

    def _keep_over_reload(self, filled: Any, asked: list[Any]) -> None:
        """Have the page's script keep what is typed, and put it back after a reload: at once, or after a link did."""
        kind, fields = self.form.kind, self.form.inputs
        drawn = gr.HTML("", html_template="", js_on_load="setTimeout(() => trigger('input'), 0)", visible="hidden")
        own: dict[str, Any] = {"fn": None, "inputs": [*asked, *fields], "api_visibility": "private"}
        typed, retyped = (f"(...values) => window.studio.{what}('{kind}', ...values)" for what in ("typed", "retyped"))
        gr.on([field.change for field in fields], js=typed, api_name=f"{kind}_typed", **own)
        gr.on(drawn.input, outputs=fields, js=retyped, api_name=f"{kind}_retyped", **own)
        filled.then(outputs=fields, js=retyped, api_name=f"{kind}_retyped_after_link", **own)

    def submit(self, spec: Any) -> RunView:
        """Ask for the run, and know what is ahead of it. Raises UserError."""
        runs = self._frame.workspace.runs
        return runs.get(runs.submit(spec))

    def start(
        self, button: Any, do: Callable[..., list[Any]], outputs: Sequence[Any], *, name: str, more: Sequence[Any] = ()
    ) -> None:
        """Pressing `button` calls `do` with the spec and the values of `more`, for `outputs`.

        What it refuses is said beside the button.
        """
        form = self.form

        def pressed(*all_values: Any) -> list[Any]:
            others, values = all_values[: len(more)], all_values[len(more) :]
            try:
                return ["", *do(form.spec(values), *others)]
            except UserError as error:
                told = {"form": _digest(values), "words": str(error), "field": error.field}
                return [json.dumps(told), *[gr.skip()] * len(outputs)]

        on(button.click, pressed, [*more, *form.inputs], [self.refused, *outputs], name=name)

    def _refusal(self, refused: str, values: Sequence[Any]) -> str:
        """What a start with just these values was refused for; nothing once any of them is another one."""
        try:
            told = json.loads(refused or "{}")
            is_it = told.get("form") == _digest(values)
            error = UserError(str(told["words"]), field=str(told["field"]))
            return self.form.complaint(error, values) if is_it else ""
        except (ValueError, LookupError, AttributeError, RecursionError):
            return ""  # not what this page has written

    @property
    def _stale(self) -> str:
        """What is drawn of the last valid form is no longer that of this one."""
        return f"<style>#{self.form.kind}-recipe, #{self.form.kind}-about {{ opacity: .4 }}</style>"

    def _asked(self, run_id: int) -> Any:
        """The spec of a run, under the next free name. Raises UserError."""
        run = self._frame.workspace.runs.get(run_id)
        if run.kind != self.form.kind:
            raise UserError(f"run {run_id} is a {run.kind} run; this form is for {self.form.kind} runs")
        spec = parse(dict(run.spec))
        return spec.model_copy(update={"name": self._frame.workspace.runs.free_name(run.kind, spec.name)})

    def _using(self, use: str) -> Any:
        """The default spec with settings from a link, "model:mine" or "builder.verdicts.runs:6". Raises UserError.

        Of plug-ins only what names datasets, runs or conversations, and what is declared as `linked`: nobody looks at
        all settings before pressing the button.
        """
        values: dict[str, Any] = {"kind": self.form.kind}
        for each in re.split(r",(?=[a-z_.]+:)", use):
            setting, _, value = each.partition(":")
            place, _, rest = setting.partition(".")
            plugin, _, name = rest.partition(".")
            if setting in {field.place for field in self.form.fields}:
                values[setting] = value
            elif (is_list := self.form.names_results(place, plugin, name)) or self.form.is_linked(place, plugin, name):
                held = values.get(place, {})
                named = held if held.get("name") == plugin else {"name": plugin}
                values[place] = named | {name: value.split(",") if is_list else value}
            else:
                raise UserError(f"use={use[:40]}: this form has no setting called {setting[:40]!r}")
        return parse(values)

    def _changes(self, again: int, spec: Any) -> str:
        """From which run the form was filled, and which settings were changed since; these are also marked."""
        try:
            before = dict(_settings(self._asked(again))) if again else {}
        except UserError:
            return ""
        if not before:
            return ""
        changed = [(place, value) for place, value in _settings(spec) if place != "name" and before.get(place) != value]
        labels = self.form.labels(dict(_settings(spec)))
        said = "; ".join(f"{labels.get(place, place)} {before.get(place, '')} → {value}" for place, value in changed)
        marks = ", ".join(f".{css_class(place)} :is(input, select, .wrap)" for place, _ in changed)
        style = f"<style>{marks} {{ border-color: var(--accent) !important }}</style>" if marks else ""
        opens = f'<a href="?run={again}">run {again}</a>'
        words = f"Changed: {esc(said)}" if said else "Nothing is changed yet."
        return f'<p class="origin">Filled in from {opens}. {words}</p>{style}'


def _digest(values: Sequence[Any]) -> str:
    return hashlib.blake2b(repr(list(values)).encode(), digest_size=8).hexdigest()


def _settings(spec: Any) -> Iterator[tuple[str, str]]:
    """(place, value as text) of every setting, those of plug-ins included."""
    for name, value in json.loads(spec_json(spec)).items():
        if isinstance(value, dict):
            yield from ((name if key == "name" else f"{name}.{key}", text_of(each)) for key, each in value.items())
        else:
            yield name, text_of(value)


def _choices(names: list[Any], value: Any) -> Any:
    """An update with what can be chosen now; it selects the first choice if nothing is chosen."""
    return gr.update(choices=names, value=names[0]) if names and value in ("", None) else gr.update(choices=names)
