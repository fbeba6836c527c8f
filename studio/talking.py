"""One conversation on the Chat page: HTML that can be clicked, whose forms are sent, and that is written into."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.checked import is_text, number_of
from studio.clickable import SCRIPT, click_value

TALK = "window.studioChat.talk(element, trigger, watch);"


@dataclass(frozen=True)
class Asked:
    """What a click or a form of a conversation asks for; `turn`: the number of the message that it is about, or 0."""

    what: str  # the first word of what was clicked, or what the form does
    turn: int = 0
    text: str = ""  # the rest of what was clicked, or what was typed
    fields: tuple[tuple[str, str], ...] = ()  # of the form

    def field(self, name: str) -> str:
        return dict(self.fields).get(name, "")


def talking(value: str = "", **settings: Any) -> gr.HTML:
    """The part; its event `select` is read by `asked`."""
    return gr.HTML(value, js_on_load=SCRIPT.replace("FITS", "false") + TALK, apply_default_css=False, **settings)


def asked(event: gr.EventData) -> Asked:
    """Of an event that no page of ours sends, nothing."""
    value = click_value(event)
    if not value.startswith("{"):
        what, _, rest = value.partition(":")
        return Asked(what, number_of(rest), rest)
    try:
        told = {str(key): str(each) for key, each in json.loads(value).items() if is_text(each)}
    except (ValueError, AttributeError, RecursionError):
        return Asked("")
    return Asked(told.get("do", ""), number_of(told.get("turn", "")), told.get("text", ""), tuple(told.items()))
