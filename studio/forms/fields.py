"""One declared setting as one widget: its type decides which, its description is the help text."""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Union, get_args, get_origin

import gradio as gr
from pydantic.fields import FieldInfo

YES_OR_NO = {"automatic": None, "yes": True, "no": False}  # of a setting that need not be either

Names = Callable[[], Sequence[str | tuple[str, str]]]  # what may be chosen: a value, or (label, value)


def no_choices_yet() -> Sequence[str | tuple[str, str]]:
    """For settings whose choices the page fills in later."""
    return ()


@dataclass(frozen=True)
class Kind:
    """The type of a setting, as a form needs it."""

    type: Any  # str, int, float, bool, or the choices of a Literal
    is_optional: bool = False
    is_many: bool = False

    @property
    def is_yes_or_no(self) -> bool:
        """Whether it is yes, no, or left open."""
        return self.type is bool and self.is_optional

    @classmethod
    def of(cls, annotation: Any) -> Kind:
        origin, args = get_origin(annotation), get_args(annotation)
        if origin in (Union, types.UnionType):
            inner = next(arg for arg in args if arg is not type(None))
            return cls(cls.of(inner).type, is_optional=type(None) in args)
        if origin in (tuple, list, set, frozenset):
            return cls(cls.of(args[0]).type, is_many=True)
        if origin is Literal:
            return cls(args)
        return cls(annotation)


@dataclass(frozen=True)
class Field:
    """One setting of a form: its path in the spec, its widget, and the conversion between text and value."""

    place: str  # path in the spec, "trainer.learning_rate"
    plugin: str  # name of the plug-in that has this setting; empty for the spec's own
    label: str
    kind: Kind
    widget: Any
    names: Names | None = None  # what may be chosen; called again to refresh the list
    takes_upload: bool = False  # it gets the path of a file that a user drops on the page

    def read(self, value: Any) -> Any:
        """The widget's value as the spec takes it; invalid text is passed on, so that the spec's check reports it."""
        if self.kind.is_yes_or_no:
            return YES_OR_NO.get(value, value)
        if self.kind.is_many and isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        if isinstance(value, str):
            value = value.strip()
        return None if value == "" and self.kind.is_optional else value

    def show(self, value: Any) -> Any:
        """A spec's value as the widget takes it."""
        if self.kind.is_yes_or_no:
            return _word_of(value)
        if isinstance(self.kind.type, tuple) or self.kind.type is bool or self.names:
            return list(value) if self.kind.is_many else value
        return text_of(value)


def _word_of(value: bool | None) -> str:
    return next(word for word, meant in YES_OR_NO.items() if meant is value)


def text_of(value: Any) -> str:
    """A default or a spec's value as a person would type it."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:g}"
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def label_of(name: str, info: FieldInfo) -> str:
    """ "learning_rate" -> "Learning rate", with the unit behind it where there is one."""
    words = info.title or name.replace("_", " ").capitalize()
    unit = _extra(info).get("unit", "")
    return f"{words} ({unit})" if unit and unit not in words.lower() else words


def is_more(info: FieldInfo) -> bool:
    """Whether a setting is under *More settings*."""
    return bool(_extra(info).get("more"))


def _extra(info: FieldInfo) -> dict[str, Any]:
    return info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}


def field(
    place: str,
    info: FieldInfo,
    *,
    kind_of_run: str,
    plugin: str = "",
    names: Names | None = None,
    is_closed: bool = False,
) -> Field:
    """The setting at path `place`, with its widget; `is_closed`: only `names` may be chosen, no other text."""
    kind = Kind.of(info.annotation)
    label = label_of(place.rpartition(".")[2], info)
    common: dict[str, Any] = {
        "label": label,
        "info": info.description or None,
        "elem_id": "-".join([kind_of_run, *filter(None, [plugin]), *place.split(".")]),
        "elem_classes": [css_class(place), *(["many"] if kind.is_many else [])],
        "interactive": True,
    }
    widget = _widget(kind, info.default, names, is_closed, common)
    return Field(place, plugin, label, kind, widget, names, bool(_extra(info).get("upload")))


def css_class(place: str) -> str:
    """The class by which an error message's style sheet selects the widget of a setting."""
    return f"at-{place.replace('.', '-')}"


def _widget(kind: Kind, default: Any, names: Names | None, is_closed: bool, common: dict[str, Any]) -> Any:
    if kind.is_yes_or_no:
        return gr.Dropdown(list(YES_OR_NO), value=_word_of(default), filterable=False, **common)
    if kind.type is bool:
        return gr.Checkbox(bool(default), **common)
    if isinstance(kind.type, tuple):
        chosen = list(default) if kind.is_many else default
        return gr.Dropdown(list(kind.type), value=chosen, multiselect=kind.is_many, filterable=kind.is_many, **common)
    if names:
        chosen = list(default) if kind.is_many else default
        common |= {"multiselect": kind.is_many, "allow_custom_value": not is_closed, "filterable": not is_closed}
        return gr.Dropdown(list(names()), value=chosen, **common)
    return gr.Textbox(text_of(default), max_lines=1, **common)
