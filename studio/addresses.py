"""Addresses: reads a link's query into a page and the values of its fields; the page's script writes the address."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import gradio as gr

from engine.builders.answers import ANSWERED
from engine.control.chat_views import View
from engine.control.views import RunView
from engine.errors import UserError
from engine.params import shown
from engine.specs import DatasetSpec
from studio.checked import is_text, number_of
from studio.page import Choice


def link(**values: object) -> str:
    """An address of this studio: `link(run=8)` is "?run=8"; empty values are left out."""
    return "?" + urlencode({name: value for name, value in values.items() if value}, quote_via=quote, safe="/:,")


def learning_from(run: RunView) -> str:
    """The address of the form that builds a dataset of a run's plausible patches; empty where it has no answers."""
    if run.kind not in ANSWERED:
        return ""
    return link(tab=DatasetSpec.page, use=f"builder.verdicts.runs:{run.id},model:{run.spec.get('model', '')}")


def learning_from_conversation(builder: str, view: View, **more: str) -> str:
    """The address of the form that builds a dataset of what was answered in one conversation, by this builder.

    A builder knows it by its number in the folders of its workers, which differs where some were taken in: then only
    those are named that call it as the newest one does, and no other conversation of that number. `more`: settings.
    """
    number = [*view.runs.values()][-1] if view.runs else view.id
    runs = ",".join(str(run) for run, called in view.runs.items() if called == number)
    chosen = {"runs": runs, "conversations": number, **more}
    settings = [f"builder.{builder}.{name}:{value}" for name, value in chosen.items()]
    return link(tab=DatasetSpec.page, use=",".join([*settings, f"model:{view.model}"]))


def read_query(text: str) -> dict[str, str]:
    """The names and values of a query; empty if it cannot be parsed."""
    try:
        return dict(parse_qsl(text.removeprefix("?"), max_num_fields=50))
    except ValueError:
        return {}


def page_of(query: Mapping[str, str], choices: Mapping[str, Sequence[Choice]]) -> str:
    """The key of the page that a query opens; empty for none. `choices`: page key -> fields kept in its address."""
    if (tab := query.get("tab", "")) in choices:
        return tab
    return next((key for name, key in opens(choices).items() if query.get(name)), "")


def opens(choices: Mapping[str, Sequence[Choice]]) -> dict[str, str]:
    """Name in an address -> the key of the page that it opens."""
    return {choice.name: key for key, each in choices.items() for choice in each if choice.opens}


def value_of(choice: Choice, text: str) -> tuple[Any, str]:
    """(the value that a link gives a field, what is wrong with it or ""); the field's default if `text` is empty."""
    part = choice.field
    value: Any = text if is_text(text) else ""
    if isinstance(part, gr.Number):
        value = number_of(text)
    elif isinstance(part, gr.Checkbox):
        value = text == "1"
    elif isinstance(part, gr.Dropdown | gr.Radio) and value not in [known for _, known in part.choices]:
        value = ""
    if not value:
        is_wrong = text and choice.check is not None
        return part.value, f"{choice.name}: there is no {shown(text)} here" if is_wrong else ""
    try:
        if choice.check:
            choice.check(value)
    except UserError as error:
        return part.value, str(error)
    return value, ""


def follow(key: str, choices: Sequence[Choice]) -> None:
    """Keep the browser's address up to date with what is chosen on a page."""
    if not choices:
        return
    names = [choice.name for choice in choices]
    defaults = [choice.field.value for choice in choices]
    opening = next((choice.name for choice in choices if choice.opens), "")
    arguments = ", ".join(json.dumps(each) for each in (key, opening, names, defaults))
    fields = [choice.shown for choice in choices]
    js = f"(...values) => window.studio.at({arguments}, values)"
    changes = [each.change for each in fields]
    gr.on(changes, None, fields, None, js=js, api_name=f"{key}_address", api_visibility="private")
