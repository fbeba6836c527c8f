"""A spec's pydantic fields as a form, and the form's values as a validated spec; knows no plug-in by name."""

from __future__ import annotations

import html
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from engine.errors import UserError
from engine.params import Params
from engine.plugins import BY_FIELD, Registry
from engine.spec_files import preset_names, read_spec
from engine.specs import KINDS, parse
from studio.checked import is_text
from studio.clickable import plain
from studio.forms.fields import Field, Names, css_class, field, is_more, no_choices_yet
from studio.guard import on
from studio.html.basics import complaint

# While a list has the focus, Gradio shows in it what was chosen before.
FOCUS_ANEW = """() => {
  const field = document.activeElement;
  if (field?.role === "combobox") { field.blur(); setTimeout(() => field.focus(), 50); }
}"""


class Form:
    """The widgets of one kind of run. Make it inside gr.Blocks; `inputs` then goes to handlers, `outputs` to fills."""

    def __init__(self, kind: str, *, names: Mapping[str, Names], folded: Sequence[str] = ()) -> None:
        """`names`: setting -> what may be chosen; `folded`: settings that are moved under *More settings*."""
        self.kind = kind
        self.fields: list[Field] = []
        self._folded = folded
        self._groups: dict[tuple[str, str, bool], gr.Column] = {}
        self._names = names
        with gr.Column(elem_id=f"fields-{kind}"):
            self._lay_out(more=False)
        with gr.Accordion("More settings", open=False, elem_classes="more"), gr.Column(elem_id=f"fields-{kind}-more"):
            self._lay_out(more=True)
        for chooser in [each for each in self.fields if each.place in BY_FIELD]:
            groups = {key: group for key, group in self._groups.items() if key[0] == chooser.place}
            self._follow(chooser, groups)
            for plugin in BY_FIELD[chooser.place].names():
                self._offer(chooser.place, plugin)

    def _follow(self, chooser: Field, groups: Mapping[tuple[str, str, bool], gr.Column]) -> None:
        """Show the settings of the plug-in that is chosen; runs in the browser, without the server."""
        names = json.dumps([plugin for _, plugin, _ in groups])
        js = f"(chosen) => {names}.map((name) => ({{ __type__: 'update', visible: name === chosen }}))"
        name = f"{self.kind}_settings_of_{chooser.place}"
        outputs = list(groups.values())
        if outputs:
            gr.on(chooser.widget.change, None, chooser.widget, outputs, js=js, api_name=name, api_visibility="private")

    def _offer(self, place: str, plugin: str) -> None:
        """Ask the plug-in what may be chosen for its settings, whenever one that is typed is another one."""
        offered = self.offered(place, plugin)
        settings = [each for each in self.settings_of(place) if each.plugin == plugin]
        typed = [each.widget for each in settings if isinstance(each.widget, gr.Textbox)]
        if not offered or not typed:
            return

        def offer(*values: Any) -> list[Any]:
            given = {each.place: each.read(value) for each, value in zip(settings, values, strict=True)}
            try:
                proposed = self.proposed(place, plugin, given)
            except (UserError, OSError):
                return [gr.skip() for _ in offered]  # the page says what is wrong with it
            if all(given[each.place] in update["choices"] for each, update in zip(offered, proposed, strict=True)):
                return [gr.update(choices=update["choices"]) for update in proposed]  # what is chosen stays
            return proposed

        widgets, name = [each.widget for each in settings], f"{self.kind}_choices_of_{place}_{plugin}"
        left = [widget.change for widget in typed]
        asked = on(left, offer, widgets, [each.widget for each in offered], name=name)
        shown_anew = {"js": FOCUS_ANEW, "api_name": f"{name}_shown", "api_visibility": "private"}
        asked.success(None, None, None, **shown_anew)

    def offered(self, place: str, plugin: str) -> list[Field]:
        """The settings of a plug-in for which it says itself what may be chosen."""
        return [each for each in self.settings_of(place) if each.plugin == plugin and each.names is no_choices_yet]

    def proposed(self, place: str, plugin: str, given: Mapping[str, Any]) -> list[Any]:
        """Updates for the widgets that are `offered`: what may be chosen there, and the first of it is chosen.

        `given`: other settings of the plug-in by their place. Raises UserError where what they name cannot be read.
        """
        settings = {each.rpartition(".")[2]: value for each, value in given.items()}
        choices = choices_of(BY_FIELD[place], plugin, settings)
        return [_proposed(choices.get(each.place.rpartition(".")[2], ())) for each in self.offered(place, plugin)]

    @property
    def inputs(self) -> list[Any]:
        return [each.widget for each in self.fields]

    @property
    def choosers(self) -> list[Field]:
        """The settings whose choices come from the workspace."""
        return [each for each in self.fields if each.names not in (None, no_choices_yet) and each.place not in BY_FIELD]

    def settings_of(self, place: str) -> list[Field]:
        """The chooser of a kind of plug-in and the settings of every one."""
        return [each for each in self.fields if each.place.partition(".")[0] == place]

    def read_plugin(self, place: str, values: Sequence[Any]) -> dict[str, Any]:
        """The plug-in that is chosen, with its settings, from the values of `settings_of(place)`."""
        settings = list(zip(self.settings_of(place), values, strict=True))
        name = next(str(value) for each, value in settings if each.place == place)
        own = {each.place.rpartition(".")[2]: each.read(value) for each, value in settings if each.plugin == name}
        return {**own, "name": name}

    def widgets(self, place: str) -> list[Any]:
        """The widgets of a setting, one for each plug-in that has it."""
        return [each.widget for each in self.fields if each.place == place]

    def _lay_out(self, *, more: bool) -> None:
        declared = KINDS[self.kind].model_fields
        for name, info in sorted(declared.items(), key=lambda each: each[0] == "name"):  # the name comes last
            if name == "kind":
                continue
            if name in BY_FIELD:
                self._plugins(name, info, more=more)
            elif (is_more(info) or name in self._folded) == more:
                self.fields.append(field(name, info, kind_of_run=self.kind, names=self._names.get(name)))

    def _plugins(self, place: str, info: Any, *, more: bool) -> None:
        """The chooser of a kind of plug-in, and each plug-in's group of settings; only the chosen one's is shown."""
        declared = params_of(BY_FIELD[place])
        is_folded = place in self._folded or is_more(info)
        if len(declared) == 1 and all(set(params.model_fields) == {"name"} for params in declared.values()):
            return  # nothing to choose
        if is_folded == more:
            titles = [(BY_FIELD[place].title(name), name) for name in declared]
            self.fields.append(field(place, info, kind_of_run=self.kind, names=lambda: titles, is_closed=True))
        for plugin, params in declared.items():
            settings = [
                (name, setting)
                for name, setting in params.model_fields.items()
                if name != "name" and (is_more(setting) or is_folded) == more
            ]
            if settings:
                elem_id = f"plugin-{self.kind}-{place}-{plugin}{'-more' if more else ''}"
                with gr.Column(visible=plugin == info.default, elem_id=elem_id) as group:
                    plain(f'<p class="hint">{html.escape(first_line(BY_FIELD[place], plugin))}</p>')
                    self.fields += [self._setting(place, plugin, *setting) for setting in settings]
                self._groups[place, plugin, more] = group

    def _setting(self, place: str, plugin: str, name: str, info: Any) -> Field:
        where = f"{place}.{name}"
        names = self._names.get(where)
        if names is None and name in choices_of(BY_FIELD[place], plugin, {}):
            names = no_choices_yet
        return field(where, info, kind_of_run=self.kind, plugin=plugin, names=names)

    # -- values to a spec -------------------------------------------------------------------------------------

    def read(self, values: tuple[Any, ...]) -> dict[str, Any]:
        """The form's values as a spec's JSON, without settings of plug-ins that are not chosen."""
        spec: dict[str, Any] = {"kind": self.kind}
        of_plugins: dict[str, list[Any]] = {}
        for each, value in zip(self.fields, values, strict=True):
            place = each.place.partition(".")[0]
            if place in BY_FIELD:
                of_plugins.setdefault(place, []).append(value)
            else:
                spec[place] = each.read(value)
        return spec | {place: self.read_plugin(place, own) for place, own in of_plugins.items()}

    def spec(self, values: tuple[Any, ...], **fixed: Any) -> Any:
        """The validated spec. Raises UserError, which names each wrong field by its label."""
        try:
            return parse({**self.read(values), **fixed})
        except UserError as error:
            raise UserError(self.in_words(str(error)), field=error.field) from None

    def in_words(self, text: str) -> str:
        """An error message with the labels of settings in place of their paths."""
        for each in sorted(self.fields, key=lambda known: -len(known.place)):
            text = text.replace(f"{each.place}:", f"{each.label}:")
        return text

    def complaint(self, error: UserError) -> str:
        """The error message as HTML that also marks the field it is about."""
        words = self.in_words(str(error))
        wrong = {each.place for each in self.fields if each.place == error.field or f"{each.label}: " in words}
        return complaint(words, [css_class(place) for place in sorted(wrong)])

    # -- a spec to values -------------------------------------------------------------------------------------

    @property
    def outputs(self) -> list[Any]:
        return [*self.inputs, *self._groups.values()]

    def fill(self, spec: Any) -> list[Any]:
        """Updates for `outputs` that make the form show `spec`."""
        chosen = {place: getattr(spec, place).name for place in BY_FIELD if hasattr(spec, place)}
        updates: list[Any] = []
        for each in self.fields:
            parent, _, name = each.place.rpartition(".")
            if each.place in chosen:
                updates.append(gr.update(value=chosen[each.place]))
            elif each.plugin and chosen[parent] != each.plugin:
                updates.append(gr.skip())
            else:
                updates.append(gr.update(value=each.show(getattr(getattr(spec, parent) if parent else spec, name))))
        return updates + [gr.update(visible=chosen[place] == plugin) for place, plugin, _ in self._groups]

    @staticmethod
    def presets(kind: str) -> list[str]:
        """Presets shipped for a kind of run."""
        return preset_names(kind)

    def fill_preset(self, name: str) -> list[Any]:
        """Updates for `outputs` from a shipped preset; none for an empty name."""
        if name not in self.presets(self.kind):
            return [gr.skip()] * len(self.outputs)
        return self.fill(read_spec(self.kind, name))


def params_of(registry: Registry[Any]) -> dict[str, type[Params]]:
    """Name -> settings of each plug-in that can be loaded; one that cannot is reported in the log."""
    declared = {}
    for name in registry.names():
        try:
            declared[name] = registry.plugin(name).Params
        except Exception:
            logging.getLogger("studio").exception("plug-in %s of %s cannot be loaded", name, registry.kind)
    return declared


def choices_of(registry: Registry[Any], plugin: str, settings: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
    """Setting -> the choices that a plug-in with these settings offers for it; empty if the settings are wrong.

    Raises UserError if a file or folder that the settings name cannot be read.
    """
    try:
        made = registry.from_value({**settings, "name": plugin})
    except UserError:
        return {}  # the form says what is wrong
    found: Mapping[str, Sequence[str]] = made.choices() if hasattr(made, "choices") else {}
    return found


def _proposed(choices: Sequence[str]) -> Any:
    known = [each for each in choices if is_text(each)]  # all else the page would refuse to send back
    return gr.update(choices=known, value=known[0]) if known else gr.update(choices=known)


def first_line(registry: Registry[Any], name: str) -> str:
    """The first line of a plug-in's docstring."""
    return (registry.plugin(name).__doc__ or name).strip().splitlines()[0]
