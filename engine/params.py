"""Declared settings: a plug-in's `Params` with one `setting` per field, and sentences about wrong values."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from engine.errors import UserError

LONGEST_SHOWN = 100  # characters of a wrong value in a sentence
WORDS = {  # type of pydantic's error -> our message
    "int_parsing": "should be a whole number",
    "int_type": "should be a whole number",
    "int_from_float": "should be a whole number",
    "float_parsing": "should be a number",
    "float_type": "should be a number",
    "bool_parsing": "should be true or false",
    "bool_type": "should be true or false",
    "extra_forbidden": "there is no such setting",
    "tuple_type": 'should be a list, as in ["one", "two"]',
    "int_parsing_size": "is too large a number",
}


class Params(BaseModel):
    """Settings of one plug-in; `name` says which, so that the plug-in can be created from a spec's JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=False, allow_inf_nan=False)

    name: str


def place(text: str, *, field: str = "") -> Path:
    """The path that a user typed, with "~" expanded. Raises UserError if no file can have this name."""
    path = Path(os.path.expanduser(text))
    try:
        os.lstat(path)
    except (OSError, ValueError) as error:
        if isinstance(error, ValueError) or error.errno == errno.ENAMETOOLONG:
            prefix = f"{field}: " if field else ""
            raise UserError(f"{prefix}no file or folder can have the name {shown(text)}", field=field) from None
    return path


def _absolute(text: str) -> str:
    try:
        return str(place(text).absolute()) if text else text
    except UserError as error:
        raise ValueError(str(error)) from None


# The path of a file or folder. What a user types is relative to the user's working directory; it is stored as an
# absolute path, because a worker or another studio that reads the spec later has another working directory.
Place = Annotated[str, AfterValidator(_absolute)]


def is_place(info: FieldInfo) -> bool:
    """Whether a setting is a `Place`."""
    return any(isinstance(each, AfterValidator) and each.func is _absolute for each in info.metadata)


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat() if text else ""
    except ValueError:
        raise ValueError(f"should be a day such as 2024-12-31 (got {shown(text)})") from None


Day = Annotated[str, AfterValidator(_day)]  # in ISO 8601; empty: none


def weighted(text: str) -> tuple[str, float | None]:
    """A name and the weight behind its last "=", as in "mine=0.5"; None if there is none."""
    name, _, weight = text.rpartition("=")
    try:
        return (name, float(weight)) if name else (text, None)
    except ValueError:
        return text, None


def setting(
    default: Any,
    description: str,
    *,
    unit: str = "",
    more: bool = False,
    upload: str = "",
    names: Literal["", "datasets", "runs", "conversations"] = "",
    needs: str = "",
    linked: bool = False,
    **limits: Any,
) -> Any:
    """A declared setting: default, help text, unit, limits; `more` puts it under *More settings*.

    `upload`: it is the path of a file with one of these endings, ".csv,.jsonl", and gets that of a file which a user
    drops on the page. `names`: it is a tuple of datasets of the workspace by name, each perhaps with a weight
    (`weighted`), or of its runs by number, of which a plug-in gets the folders, or of its conversations by number.
    `needs`: what another plug-in of the spec has to make for this setting to have an effect, "bugs"; forms do not ask
    for it otherwise. `linked`: a link may set it, though nobody may look at it before the run is started.
    """
    extra: dict[str, Any] = {"unit": unit, "more": more, "upload": upload, "names": names, "needs": needs}
    extra["linked"] = linked
    return Field(default, description=description, json_schema_extra=extra, **limits)


def naming(what: str, params: type[BaseModel]) -> list[str]:
    """The settings that name "datasets", "runs" or "conversations"."""
    return [name for name, extra in _extras(params).items() if extra.get("names") == what]


def linked(params: type[BaseModel]) -> list[str]:
    """The settings that a link may set, beside those that name something."""
    return [name for name, extra in _extras(params).items() if extra.get("linked")]


def _extras(params: type[BaseModel]) -> dict[str, dict[str, Any]]:
    extras = {name: info.json_schema_extra for name, info in params.model_fields.items()}
    return {name: extra for name, extra in extras.items() if isinstance(extra, dict)}


def explain(
    error: ValidationError,
    default: Callable[[str], Any] = lambda place: None,
    known: Callable[[str], Iterable[str]] = lambda place: (),
) -> UserError:
    """Pydantic's errors as one sentence per field: `trainer.rank: should be greater than 0 (got 0)`.

    `default`: the place of a setting -> its default, an example for one that is left empty; None where there is none.
    `known`: the same place -> the settings that there are instead of it.
    """
    sentences, first = [], ""
    for found in error.errors():
        place = ".".join(str(part) for part in found["loc"]) or "spec"
        first = first or place
        message = found["msg"].removeprefix("Input ").removeprefix("Value error, ")
        message = WORDS.get(found["type"], message)
        if found["type"] == "extra_forbidden" and (names := ", ".join(known(place))):
            message += f" among {names}"
        got = found.get("input")
        has_value = found["type"] == "value_error"  # our own messages contain the value
        is_short = isinstance(got, str | int | float | bool | None)
        value = f" (got {shown(got)})" if is_short and not has_value else ""
        if got == "" and not has_value:
            example = default(place) if "number" in message else None
            message = f"is empty, {message.replace('should be', 'enter')}"
            value = f" such as {example}" if example is not None else ""
        sentences.append(f"{place}: {message}{value}")
    return UserError("; ".join(sentences), field=first)


def is_unicode(text: str) -> bool:
    """False for text with half a surrogate pair, from JSON or from a file name that is not UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def in_unicode(text: str) -> str:
    """The text with "?" for each half of a surrogate pair, so that it can be written and shown."""
    return text.encode("utf-8", "replace").decode("utf-8")


def shown(value: object) -> str:
    """A value as shown in a message; a long one is cut off."""
    try:
        text = repr(value)
    except ValueError:  # Python converts no integer of more than 4,300 digits to text
        return "a number with thousands of digits"
    size = len(value) if isinstance(value, str) else len(text)  # a text's without its quotes
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}... of {size:,} characters"
