"""The list of a kind of plug-in and the settings of every one, as native fields of one part of the page.

Gradio's own widgets would be some hundred more parts: the time until a page can be used grows with the square of their
number. What is chosen is one JSON text, as in a spec: `{"name": "columns", "file": "bugs.jsonl"}`; settings that nobody
has changed are left out of it. The script is assets/forms.html.
"""

from __future__ import annotations

import inspect
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr
from pydantic.fields import FieldInfo

from engine.errors import UserError
from engine.params import Params, linked, naming
from engine.plugins import BY_FIELD, Registry
from studio.checked import is_text
from studio.forms.fields import Names, Setting, text_of
from studio.guard import on
from studio.html import settings as html
from studio.live import Live

CHOSEN = "window.studioForms.chosen(OF, element, props, watch);"
MORE = "window.studioForms.more(OF, element);"
OFFERED = "watch('value', () => window.studioForms.offer(OF, props.value));"


class PluginSettings:
    """A kind of plug-in in a form: call `lay_out` where it is, `lay_out_more` in *More settings*; then `watch`."""

    def __init__(self, kind_of_run: str, place: str, info: FieldInfo, names: Mapping[str, Names]) -> None:
        """`place`: the setting of the spec that names the plug-in, "builder".

        `names`: "datasets" and "runs" -> what may be chosen for settings that name some.
        """
        self._registry = BY_FIELD[place]
        self._own = Setting.of(place, info)
        self.place = place
        self._of = f"{kind_of_run}-{place}"
        declared = params_of(self._registry)
        self.settings = {plugin: _settings(place, params) for plugin, params in declared.items()}
        self.named = {  # plug-in -> its settings that name datasets or runs -> what may be chosen
            plugin: {name: listed for what, listed in names.items() for name in naming(what, params)}
            for plugin, params in declared.items()
        }
        self.linked = {plugin: linked(params) for plugin, params in declared.items()}  # -> others that a link may set
        self._is_offering = any(self.named[plugin] or self._choices(plugin, {}) for plugin in self.settings)
        self.widget: Any = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to choose: one plug-in without settings."""
        return len(self.settings) == 1 and not any(self.settings.values())

    def labels(self, chosen: str = "") -> dict[str, str]:
        """Path in the spec -> label; where settings of several plug-ins have one path, that of the chosen one."""
        every = [own for settings in self.settings.values() for own in settings]
        return {each.place: each.label for each in [self._own, *every, *self.settings.get(chosen, ())]}

    def lay_out(self, *, whole: bool) -> None:
        """The list of plug-ins with their settings; `whole`: those of *More settings* too."""
        shown = {name: [each for each in own if whole or not each.is_more] for name, own in self.settings.items()}
        titles = {name: self._registry.title(name) for name in self.settings}
        makes = {name: str(getattr(self._registry.plugin(name), "makes", "")) for name in self.settings}
        drawn = html.chooser(self._of, self._own, titles, makes) + self._groups(shown)
        own = {"value": self._default, "label": self._own.label, "elem_id": f"settings-{self._of}"}
        self.widget = self._part(CHOSEN, drawn, **own)
        self._offered = self._part(OFFERED, "", visible="hidden") if self._is_offering else None

    def lay_out_more(self) -> None:
        """The settings of *More settings*."""
        shown = {name: [each for each in own if each.is_more] for name, own in self.settings.items()}
        if any(shown.values()):
            self._part(MORE, self._groups(shown))

    def watch(self, live: Live) -> None:
        """Ask the chosen plug-in what may be chosen for its settings, whenever one of them is another one."""
        if self._offered is not None:
            live.show(self._offer, [self.widget], [self._offered], also=[self.widget.change])
            name = f"{self._of.replace('-', '_')}_choices"
            on(self.widget.change, self._choose, self.widget, self.widget, name=name)

    # -- values ------------------------------------------------------------------------------------------------

    def read(self, value: str) -> dict[str, Any]:
        """The plug-in that is chosen, with the settings that were changed, as the spec takes them. Raises UserError."""
        try:
            given = json.loads(value or self._default)
            name = str(_plain(given["name"]))
            known = {each.name: each for each in self.settings.get(name, [])}
            return {"name": name} | {key: known[key].read(_plain(each)) for key, each in given.items() if key in known}
        except (ValueError, LookupError, TypeError, RecursionError):
            raise UserError(f"{self._own.label}: the page sent what none of its fields holds; reload it") from None

    def show(self, plugin: Any) -> str:
        """A plug-in's `Params` as the part takes it."""
        return self.written(plugin.name, {each.name: getattr(plugin, each.name) for each in self.settings[plugin.name]})

    def written(self, plugin: str, values: Mapping[str, Any]) -> str:
        """These settings of a plug-in as the part takes them: it chooses the plug-in, and its other settings stay."""
        known = {each.name: each for each in self.settings[plugin]}
        shown = {name: known[name].show(value) for name, value in values.items()}
        held = {name: value if isinstance(value, bool | list) else text_of(value) for name, value in shown.items()}
        return json.dumps({"name": plugin} | held)

    @property
    def takers(self) -> dict[str, str]:
        """Plug-in -> the setting that gets the path of a file which a user drops on the page."""
        found = {plugin: [each.name for each in own if each.upload] for plugin, own in self.settings.items()}
        return {plugin: names[0] for plugin, names in found.items() if names}

    @property
    def endings(self) -> str:
        """Of the files that can be dropped on the page: ".csv,.jsonl"."""
        every = [each.upload for settings in self.settings.values() for each in settings if each.upload]
        return ",".join(dict.fromkeys(",".join(every).split(",")))

    def takes(self, plugin: str, path: str) -> bool:
        """Whether a plug-in takes a dropped file, by the ending of its name."""
        endings = next((each.upload for each in self.settings.get(plugin, []) if each.upload), "")
        return path.lower().endswith(tuple(filter(None, endings.split(","))))

    def proposed(self, given: Mapping[str, Any]) -> dict[str, Sequence[str]]:
        """Setting -> what may be chosen for it now; empty if the plug-in, `given["name"]`, says nothing of that.

        Raises UserError and OSError where what `given` names cannot be read.
        """
        found = self._choices(str(given["name"]), {key: value for key, value in given.items() if key != "name"})
        return {name: [each for each in choices if is_text(each)] for name, choices in found.items()}

    def _offer(self, value: str) -> list[str]:
        """What may be chosen now, as JSON: plug-in -> setting -> choices."""
        given = self.read(value)
        known: dict[str, dict[str, Sequence[Any]]]
        known = {plugin: {name: list(each()) for name, each in own.items()} for plugin, own in self.named.items()}
        known.setdefault(given["name"], {}).update(self._readable(given))
        return [json.dumps({plugin: choices for plugin, choices in known.items() if choices})]

    def _choose(self, value: str) -> Any:
        """Choose the first of all that is offered if one of these settings has what is not: it is another file."""
        given = self.read(value)
        held = {each.name: each.show(each.default) for each in self.settings.get(given["name"], [])} | given
        proposed = {name: choices for name, choices in self._readable(given).items() if choices and name in held}
        if all(held[name] in choices for name, choices in proposed.items()):
            return gr.skip()
        return self.written(given["name"], {name: choices[0] for name, choices in proposed.items()})

    def _readable(self, given: Mapping[str, Any]) -> dict[str, Sequence[str]]:
        """What is `proposed`; empty if what is given cannot be read: the page says what is wrong with it."""
        try:
            return self.proposed(given)
        except (UserError, OSError):
            return {}

    def _choices(self, plugin: str, settings: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
        """Setting -> the choices that a plug-in with these settings offers; empty if the settings are wrong."""
        try:
            made = self._registry.from_value({**settings, "name": plugin})
        except UserError:
            return {}  # the form says what is wrong
        found: Mapping[str, Sequence[str]] = made.choices() if hasattr(made, "choices") else {}
        return found

    @property
    def _default(self) -> str:
        return json.dumps({"name": text_of(self._own.default)})

    def _groups(self, shown: Mapping[str, Sequence[Setting]]) -> str:
        hints = {plugin: first_line(self._registry, plugin) for plugin in shown}
        chosen = text_of(self._own.default)
        return "".join(
            html.group(self._of, name, hints[name], own, name == chosen) for name, own in shown.items() if own
        )

    def _part(self, script: str, drawn: str, **settings: Any) -> gr.HTML:
        needs = f' data-needs="{self._own.needs}"' if self._own.needs else ""
        template = html.literal(f'<div class="settings" data-of="{self._of}"{needs}>{drawn}</div>' if drawn else "")
        return gr.HTML(
            settings.pop("value", ""),
            html_template=template,
            js_on_load=script.replace("OF", json.dumps(self._of)),
            apply_default_css=False,
            **settings,
        )


def _settings(place: str, params: type[Params]) -> list[Setting]:
    """The settings of a plug-in: what it reads, then its own ones, then those that it shares with others."""
    declared = [set(inspect.get_annotations(each)) for each in params.__mro__]
    nearest = {name: next(depth for depth, own in enumerate(declared) if name in own) for name in params.model_fields}
    found = [Setting.of(f"{place}.{name}", each) for name, each in params.model_fields.items() if name != "name"]
    first = {*naming("datasets", params), *naming("runs", params), *(each.name for each in found if each.upload)}
    return sorted(found, key=lambda each: (each.name not in first, nearest[each.name]))


def _plain(value: Any) -> Any:
    """A value of the JSON text. Raises ValueError for one that no field sends."""
    if isinstance(value, list) and all(map(is_text, value)):
        return value
    if not (isinstance(value, bool) or is_text(value)):
        raise ValueError(value)
    return value


def params_of(registry: Registry[Any]) -> dict[str, type[Params]]:
    """Name -> settings of each plug-in that can be loaded; one that cannot is reported in the log."""
    declared = {}
    for name in registry.names():
        try:
            declared[name] = registry.plugin(name).Params
        except Exception:
            logging.getLogger("studio").exception("plug-in %s of %s cannot be loaded", name, registry.kind)
    return declared


def first_line(registry: Registry[Any], name: str) -> str:
    """The first line of a plug-in's docstring."""
    return (registry.plugin(name).__doc__ or name).strip().splitlines()[0]
