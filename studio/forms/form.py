"""A spec's pydantic fields as a form, and the form's values as a validated spec; knows no plug-in by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from engine.errors import UserError
from engine.plugins import BY_FIELD
from engine.spec_files import preset_names, read_spec
from engine.specs import KINDS, parse
from studio.forms.fields import Field, Names, css_class, field, is_more, no_choices_yet
from studio.forms.plugin_settings import PluginSettings
from studio.html.basics import complaint
from studio.live import Live


class Form:
    """The widgets of one kind of run. Make it inside gr.Blocks; `inputs` go to handlers, and come from fills."""

    def __init__(
        self,
        kind: str,
        *,
        names: Mapping[str, Names],
        folded: Sequence[str] = (),
        below: Mapping[str, Any] | None = None,
    ) -> None:
        """`names`: setting -> what may be chosen; `folded`: settings that are moved under *More settings*.

        `below`: kind of plug-in -> a part of the page that is rendered after its settings.
        """
        self.kind = kind
        self._below = below or {}
        self.fields: list[Field | PluginSettings] = []
        self._folded = folded
        self._names = names
        declared = KINDS[kind].model_fields
        self._plugins = {
            name: PluginSettings(kind, name, info, names) for name, info in declared.items() if name in BY_FIELD
        }
        with gr.Column(elem_id=f"fields-{kind}"):
            self._lay_out(more=False)
        with gr.Accordion("More settings", open=False, elem_classes="more"), gr.Column(elem_id=f"fields-{kind}-more"):
            self._lay_out(more=True)

    def watch(self, live: Live) -> None:
        """Keep what may be chosen for the settings of plug-ins up to date."""
        for each in self.fields:
            if isinstance(each, PluginSettings):
                each.watch(live)

    def plugin(self, place: str) -> PluginSettings:
        """The kind of plug-in that the setting `place` of the spec names."""
        return self._plugins[place]

    def names_results(self, place: str, plugin: str, name: str) -> bool:
        """Whether the plug-in `plugin` there has a setting `name` that names datasets or runs."""
        return place in self._plugins and name in self._plugins[place].named.get(plugin, ())

    def is_linked(self, place: str, plugin: str, name: str) -> bool:
        """Whether a link may set another setting `name` of the plug-in `plugin` there."""
        return place in self._plugins and name in self._plugins[place].linked.get(plugin, ())

    def widget(self, place: str) -> Any:
        """The widget of a setting of the spec."""
        return next(each.widget for each in self.fields if each.place == place)

    @property
    def inputs(self) -> list[Any]:
        return [each.widget for each in self.fields]

    @property
    def choosers(self) -> list[Field]:
        """The settings whose choices come from the workspace."""
        own = [each for each in self.fields if isinstance(each, Field)]
        return [each for each in own if each.names not in (None, no_choices_yet)]

    def labels(self, chosen: Mapping[str, str]) -> dict[str, str]:
        """Path in the spec -> label, also of plug-ins' settings; `chosen`: kind of plug-in -> the one that is meant."""
        found = [each.labels(chosen.get(each.place, "")) for each in self.fields]
        return {place: label for labels in found for place, label in labels.items()}

    def chosen(self, values: Sequence[Any]) -> dict[str, str]:
        """Kind of plug-in -> which one is chosen. Raises UserError for what no form sends."""
        given = zip(self.fields, values, strict=True)
        return {each.place: each.read(value)["name"] for each, value in given if isinstance(each, PluginSettings)}

    def _lay_out(self, *, more: bool) -> None:
        declared = KINDS[self.kind].model_fields
        for name, info in sorted(declared.items(), key=lambda each: each[0] == "name"):  # the name comes last
            if name == "kind":
                continue
            is_here = (is_more(info) or name in self._folded) == more
            if name not in BY_FIELD:
                if is_here:
                    self.fields.append(field(name, info, kind_of_run=self.kind, names=self._names.get(name)))
            elif not (plugin := self._plugins[name]).is_empty:
                if is_here:
                    plugin.lay_out(whole=more)
                    if name in self._below:
                        self._below[name].render()
                    self.fields.append(plugin)
                elif more:
                    plugin.lay_out_more()

    # -- values to a spec -------------------------------------------------------------------------------------

    def read(self, values: Sequence[Any]) -> dict[str, Any]:
        """The form's values as a spec's JSON. Raises UserError for what no form sends."""
        given = {each.place: each.read(value) for each, value in zip(self.fields, values, strict=True)}
        return {"kind": self.kind} | given

    def spec(self, values: Sequence[Any], **fixed: Any) -> Any:
        """The validated spec. Raises UserError, which names each wrong field by its label."""
        try:
            return parse({**self.read(values), **fixed})
        except UserError as error:
            raise UserError(self._in_words(str(error), values), field=error.field) from None

    def complaint(self, error: UserError, values: Sequence[Any]) -> str:
        """The error message as HTML that also marks the field it is about."""
        words, labels = self._in_words(str(error), values), self._labels_of(values)
        wrong = {place for place, label in labels.items() if place == error.field or f"{label}: " in words}
        return complaint(words, [css_class(place) for place in sorted(wrong)])

    def _in_words(self, text: str, values: Sequence[Any]) -> str:
        """An error message with the labels of settings in place of their paths."""
        for place, label in sorted(self._labels_of(values).items(), key=lambda known: -len(known[0])):
            text = text.replace(f"{place}:", f"{label}:")
        return text

    def _labels_of(self, values: Sequence[Any]) -> dict[str, str]:
        try:
            return self.labels(self.chosen(values))
        except UserError:
            return self.labels({})

    # -- a spec to values -------------------------------------------------------------------------------------

    def fill(self, spec: Any) -> list[Any]:
        """Updates for `inputs` that make the form show `spec`."""
        return [gr.update(value=each.show(getattr(spec, each.place))) for each in self.fields]

    @staticmethod
    def presets(kind: str) -> list[str]:
        """Presets shipped for a kind of run."""
        return preset_names(kind)

    def fill_preset(self, name: str) -> list[Any]:
        """Updates for `inputs` from a shipped preset; none for an empty name."""
        if name not in self.presets(self.kind):
            return [gr.skip()] * len(self.inputs)
        return self.fill(read_spec(self.kind, name))
