"""The settings of plug-ins as native fields of a form: a list, text, yes or no, or several of a few."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from studio.forms.fields import Setting, css_class, text_of
from studio.html.basics import esc


def chooser(of: str, setting: Setting, titles: Mapping[str, str], makes: Mapping[str, str]) -> str:
    """The list of plug-ins; `titles`, `makes`: name -> title, what it makes; empty: nothing that others depend on."""
    options = "".join(_option(name, title, name == setting.default, makes[name]) for name, title in titles.items())
    return _field(of, setting, f"<select {_named(of, 'name', setting.default)}>{options}</select>")


def group(of: str, plugin: str, hint: str, settings: Sequence[Setting], is_shown: bool) -> str:
    """The settings of one plug-in, which are shown while it is chosen."""
    named = [(f"{of}-{plugin}-{each.name}", each) for each in settings]
    fields = "".join(_field(ident, each, _control(ident, each)) for ident, each in named)
    hidden = "" if is_shown else " hidden"
    return f'<div class="group" data-plugin="{esc(plugin)}"{hidden}><p class="hint">{_worded(hint)}</p>{fields}</div>'


def literal(drawn: str) -> str:
    """HTML as a template of Gradio's that stands for itself: without what Handlebars and JavaScript would replace."""
    for sign in "\\`${":
        drawn = drawn.replace(sign, f"&#{ord(sign)};")
    return drawn


def _worded(hint: str) -> str:
    """A sentence of a docstring, with what stands between backticks as code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", esc(hint))


def _field(ident: str, setting: Setting, control: str) -> str:
    words = f'<small id="{esc(ident)}-help">{esc(setting.help)}</small>' if setting.help else ""
    is_wide = setting.kind.is_many or setting.is_place
    classes = " ".join(
        [css_class(setting.place), *(["many"] if setting.kind.is_many else []), *(["wide"] if is_wide else [])]
    )
    if setting.kind.type is bool and not setting.kind.is_optional:
        return f'<div class="setting {classes}"><label>{control} {esc(setting.label)}</label>{words}</div>'
    label = f'<label for="{esc(ident)}">{esc(setting.label)}</label>'
    if setting.kind.choices and setting.kind.is_many:
        label = f"<b>{esc(setting.label)}</b>"
    return f'<div class="setting {classes}">{label}{words}{control}</div>'


def _control(ident: str, setting: Setting) -> str:
    default, choices = setting.show(setting.default), setting.kind.choices
    named = _named(ident, setting.name, default)
    if choices and setting.kind.is_many:
        ticks = "".join(_tick(each, is_chosen=each in default) for each in choices)
        return f'<fieldset aria-label="{esc(setting.label)}" {named}>{ticks}</fieldset>'
    if choices:
        options = "".join(_option(text_of(each), text_of(each), each == default) for each in choices)
        return f"<select {named}>{options}</select>"
    if setting.kind.type is bool:
        return f'<input type="checkbox" {named}{" checked" if default else ""}>'
    if isinstance(default, str) and "\n" in default:
        return f'<textarea rows="{default.count(chr(10)) + 1}" spellcheck="false" {named}>{esc(default)}</textarea>'
    return f'<input type="text" autocomplete="off" spellcheck="false" value="{esc(default)}" {named}>'


def _named(ident: str, name: str, default: object) -> str:
    """`data-setting` and `data-default`: what assets/forms.html finds a field by, and what it shows if not changed."""
    told = esc(json.dumps(default))
    return f'id="{esc(ident)}" data-setting="{esc(name)}" data-default="{told}" aria-describedby="{esc(ident)}-help"'


def _option(value: str, title: str, is_chosen: bool, makes: str = "") -> str:
    made = f' data-makes="{esc(makes)}"' if makes else ""
    return f'<option value="{esc(value)}"{made}{" selected" if is_chosen else ""}>{esc(title)}</option>'


def _tick(name: str, *, is_chosen: bool) -> str:
    box = f'<input type="checkbox" value="{esc(name)}"{" checked" if is_chosen else ""}>'
    return f"<label>{box}{esc(name.replace('_', ' '))}</label>"
