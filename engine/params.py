"""Declared settings: a plug-in's `Params`, one `setting` a field, and what is wrong with values in plain sentences."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Annotated, Any

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


# A file or folder. What a user writes is relative to the user's working directory; it is stored as an absolute path,
# because a worker or another studio that reads the spec later has another working directory.
Place = Annotated[str, AfterValidator(_where)]


def setting(
    default: Any, description: str, *, unit: str = "", more: bool = False, upload: bool = False, **limits: Any
) -> Any:
    """A declared setting: default, one line of help, unit, bounds; `more` puts it under *More settings*.

    `upload`: it names a file, and one that a user drops on the page goes there.
    """
    return Field(
        default, description=description, json_schema_extra={"unit": unit, "more": more, "upload": upload}, **limits
    )


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
