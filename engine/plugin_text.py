"""A plug-in with its settings as one text, for a setting of another plug-in: "pocket", or a JSON object."""

from __future__ import annotations

import json
from typing import Any

from engine.params import Params, shown
from engine.plugins import Registry


def written(value: Any, registry: Registry[Any], default: str) -> str:
    """The text of a plug-in that is given by its name, by such a text, or as an object without or with "name".

    `default`: the name where none is given. Paths in its settings become absolute. Raises ValueError, of which
    pydantic's are, where there is no such plug-in or a setting is wrong.
    """
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError(f"should be a name or a JSON object (got {shown(value)})") from None
    if isinstance(value, dict):
        value = {**value, "name": value.get("name") or default}
    params = registry.params(value or default)
    changed = {
        name: each
        for name, each in params.model_dump(mode="json").items()
        if name != "name" and getattr(params, name) != type(params).model_fields[name].default
    }
    return json.dumps({"name": params.name, **changed}, ensure_ascii=False) if changed else params.name


def read(text: str, registry: Registry[Any]) -> Params:
    """The settings that such a text names. Raises as `written`."""
    return registry.params(json.loads(text) if text.startswith("{") else text)
