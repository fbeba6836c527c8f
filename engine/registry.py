"""Plug-ins by name: the built-in ones of a kind, and those that installed packages announce.

A package adds a plug-in with an entry point in the group `repair_studio.<kind>`; it appears in every form,
spec and contract test without a line here or in `studio/`.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from functools import cached_property
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from engine.errors import UserError

LONGEST_SHOWN = 100  # characters of a wrong value in a sentence
WORDS = {  # kind of pydantic's finding -> what we say instead
    "extra_forbidden": "there is no such setting",
    "tuple_type": 'should be a list, as in ["one", "two"]',
    "int_parsing_size": "is too large a number",
}


class Params(BaseModel):
    """Settings of one plug-in; `name` says which, so that a spec's JSON is enough to make it again."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=False, allow_inf_nan=False)

    name: str


def place(text: str, *, field: str = "") -> Path:
    """The file or folder that a user names, "~" spelled out. Raises UserError for a name that nothing can have."""
    path = Path(os.path.expanduser(text))
    try:
        os.lstat(path)
    except (OSError, ValueError) as error:
        if isinstance(error, ValueError) or error.errno == errno.ENAMETOOLONG:
            prefix = f"{field}: " if field else ""
            raise UserError(f"{prefix}no file or folder can be called {shown(text)}", field=field) from None
    return path


def _where(text: str) -> str:
    try:
        return str(place(text).absolute()) if text else text
    except UserError as error:
        raise ValueError(str(error)) from None


# A file or folder, as its user sees it: relative to where the user is, and absolute from then on, since whoever reads
# the spec later (a worker, another studio) stands elsewhere.
Place = Annotated[str, AfterValidator(_where)]


def setting(default: Any, description: str, *, unit: str = "", more: bool = False, **limits: Any) -> Any:
    """A declared setting: default, one line of help, unit, bounds; `more` puts it under *More settings*."""
    return Field(default, description=description, json_schema_extra={"unit": unit, "more": more}, **limits)


P = TypeVar("P")


class Registry(Generic[P]):
    """The plug-ins of one kind. A plug-in is a class with `Params` (a `Params` subclass) made as `cls(params)`."""

    def __init__(self, kind: str, built_in: Mapping[str, str]) -> None:
        """`built_in`: name -> "module:Class", imported only when asked for."""
        self.kind = kind
        self._built_in = dict(built_in)

    @cached_property
    def _paths(self) -> dict[str, str]:
        announced = {e.name: e.value for e in entry_points(group=f"repair_studio.{self.kind}")}
        return {**announced, **self._built_in}

    def names(self) -> list[str]:
        return list(self._paths)

    def plugin(self, name: str) -> type[P]:
        """The plug-in's class. Raises UserError naming what there is when `name` is unknown."""
        if name not in self._paths:
            known = ", ".join(sorted(self._paths))
            raise UserError(f"there is no {self.kind} plug-in called {name!r}; choose one of: {known}")
        module, _, attribute = self._paths[name].partition(":")
        return cast("type[P]", getattr(import_module(module), attribute))

    def title(self, name: str) -> str:
        """What a page calls the plug-in: its `title`, or its name where it has none."""
        return str(getattr(self.plugin(name), "title", name))

    def params(self, value: Any) -> Params:
        """`value` (a name, a dict with "name", or Params) as validated settings; pydantic errors pass through."""
        if isinstance(value, Params):
            return value
        if isinstance(value, str):
            value = {"name": value}
        if not isinstance(value, dict) or not isinstance(value.get("name"), str):
            raise ValueError(f'expected a plug-in as {{"name": one of {", ".join(self.names())}}}, got {value!r}')
        try:
            declared = self.plugin(value["name"])
        except UserError as unknown:
            raise ValueError(str(unknown)) from None
        return cast("Params", declared.Params.model_validate(value))  # type: ignore[attr-defined]

    def create(self, params: Params) -> P:
        """The plug-in with these settings."""
        return self.plugin(params.name)(params)  # type: ignore[call-arg]


def explain(error: ValidationError) -> UserError:
    """Pydantic's findings as one sentence a field: `trainer.rank: should be greater than 0 (got 0)`."""
    sentences, first = [], ""
    for found in error.errors():
        place = ".".join(str(part) for part in found["loc"]) or "spec"
        first = first or place
        said = found["msg"].removeprefix("Input ").removeprefix("Value error, ")
        said = WORDS.get(found["type"], said)
        got = found.get("input")
        is_said = found["type"] == "value_error"  # our own sentences name the value
        is_short = isinstance(got, str | int | float | bool | None)
        value = f" (got {shown(got)})" if is_short and not is_said else ""
        sentences.append(f"{place}: {said}{value}")
    return UserError("; ".join(sentences), field=first)


def is_unicode(text: str) -> bool:
    """Not so with half a surrogate pair, as JSON can spell it and as Python reads a file's name that is not UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def shown(value: object) -> str:
    """A value in a sentence; of a long one the beginning."""
    try:
        text = repr(value)
    except ValueError:  # Python spells no integer of more than 4,300 digits
        return "a number of thousands of digits"
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}... of {len(text):,} characters"
