"""One declared setting: its type, label and help, the text that shows it, and for a spec's own settings the widget."""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, Union, get_args, get_origin

import gradio as gr
from pydantic.fields import FieldInfo

from engine.params import is_place

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

    @property
    def choices(self) -> tuple[Any, ...]:
        """What it is chosen from; empty for text, numbers, and what is ticked."""
        if self.is_yes_or_no:
            return tuple(YES_OR_NO)
        return self.type if isinstance(self.type, tuple) else ()

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
class Setting:
    """One declared setting of a spec or of a plug-in."""

    place: str  # path in the spec, "trainer.learning_rate"
    label: str
    help: str
    kind: Kind
    default: Any
    is_more: bool  # it is under *More settings*
    upload: str  # endings of the files that a user can drop on the page, ".csv,.jsonl": it gets their path
    needs: str = ""  # what another plug-in of the spec has to make for it to have an effect, "bugs"
    is_place: bool = False  # the path of a file or folder

    @classmethod
    def of(cls, place: str, info: FieldInfo) -> Setting:
        label, extra = label_of(place.rpartition(".")[2], info), _extra(info)
        kind = Kind.of(info.annotation)
        upload, needs = str(extra.get("upload") or ""), str(extra.get("needs") or "")
        return cls(
            place, label, info.description or "", kind, info.default, is_more(info), upload, needs, is_place(info)
        )

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.place.rpartition(".")[2]

    def read(self, value: Any) -> Any:
        """What a form holds, as the spec takes it; invalid text is passed on, so that the spec's check reports it."""
        if self.kind.is_yes_or_no:
            return YES_OR_NO.get(value, value)
        if isinstance(self.kind.type, tuple) and isinstance(value, str) and not self.kind.is_many:
            return next((each for each in self.kind.type if text_of(each) == value), value)
        if self.kind.is_many and isinstance(value, str):
            with suppress(ValueError, RecursionError):  # a list as JSON, as the shell takes it
                if value.strip().startswith("[") and isinstance(found := json.loads(value), list):
                    return found
            return [part.strip() for part in value.split(",") if part.strip()]
        if isinstance(value, str):
            value = value.strip()
        return None if value == "" and self.kind.is_optional else value

    def show(self, value: Any) -> Any:
        """A spec's value as a form shows it: text, yes or no, or a list where several of a few are chosen."""
        if self.kind.is_yes_or_no:
            return next(word for word, meant in YES_OR_NO.items() if meant is value)
        if isinstance(self.kind.type, tuple) or self.kind.type is bool:
            return list(value) if self.kind.is_many else value
        return text_of(value)


@dataclass(frozen=True)
class Field:
    """A setting of the spec itself, with its widget."""

    setting: Setting
    widget: Any
    names: Names | None = None  # what may be chosen; called again to refresh the list

    @property
    def place(self) -> str:
        return self.setting.place

    def labels(self, chosen: str = "") -> dict[str, str]:
        """Path in the spec -> label."""
        return {self.place: self.setting.label}

    def read(self, value: Any) -> Any:
        """The widget's value as the spec takes it."""
        return self.setting.read(value)

    def show(self, value: Any) -> Any:
        """A spec's value as the widget takes it."""
        if self.names:
            return list(value) if self.setting.kind.is_many else value
        return self.setting.show(value)


def text_of(value: Any) -> str:
    """A default or a spec's value as a person would type it."""
    if value is None:
        return ""
    if isinstance(value, float):
        return short if float(short := f"{value:g}") == value else repr(value)
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def label_of(name: str, info: FieldInfo) -> str:
    """ "learning_rate" -> "Learning rate", "timeout_s" -> "Timeout (s)": with the unit behind it where there is one."""
    unit = _extra(info).get("unit", "")
    words = info.title or (name.removesuffix("_s") if unit == "s" else name).replace("_", " ").capitalize()
    return f"{words} ({unit})" if unit and unit not in words.lower().split() else words


def is_more(info: FieldInfo) -> bool:
    """Whether a setting is under *More settings*."""
    return bool(_extra(info).get("more"))


def _extra(info: FieldInfo) -> dict[str, Any]:
    return info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}


def field(name: str, info: FieldInfo, *, kind_of_run: str, names: Names | None = None) -> Field:
    """The spec's own setting `name`, with its widget."""
    setting = Setting.of(name, info)
    many = ["many"] if setting.kind.is_many else []
    common: dict[str, Any] = {
        "label": setting.label,
        "info": setting.help or None,
        "elem_id": f"{kind_of_run}-{name}",
        "elem_classes": [css_class(name), *many],
        "interactive": True,
    }
    return Field(setting, _widget(setting, names, common), names)


def css_class(place: str) -> str:
    """The class by which an error message's style sheet selects the widget of a setting."""
    return f"at-{place.replace('.', '-')}"


def _widget(setting: Setting, names: Names | None, common: dict[str, Any]) -> Any:
    kind, shown = setting.kind, setting.show(setting.default)
    if kind.choices:
        return gr.Dropdown(list(kind.choices), value=shown, multiselect=kind.is_many, filterable=kind.is_many, **common)
    if kind.type is bool:
        return gr.Checkbox(bool(shown), **common)
    if names:
        chosen = list(setting.default) if kind.is_many else setting.default
        return gr.Dropdown(list(names()), value=chosen, multiselect=kind.is_many, allow_custom_value=True, **common)
    return gr.Textbox(shown, max_lines=1, **common)
