"""Where a service is, and where its key stands: checked when they are typed in."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from engine.params import shown


def address(text: str) -> str:
    """The URL of a service. Raises ValueError."""
    if not text.startswith(("http://", "https://")):
        raise ValueError(f"should begin with http:// or https:// (got {shown(text)})")
    try:
        parts = urlsplit(text)
        is_usable = bool(parts.hostname) and parts.port != 0 and text.isprintable() and " " not in text
    except ValueError:  # of brackets or the port
        is_usable = False
    if not is_usable:
        raise ValueError(f"should be an address such as http://127.0.0.1:8000/v1 (got {shown(text)})")
    return text


def variable(text: str) -> str:
    """The name of an environment variable, or nothing. Raises ValueError."""
    if not re.fullmatch("([A-Za-z_][A-Za-z0-9_]*)?", text):  # most likely the key itself, so it is not repeated here
        raise ValueError("should be the name of an environment variable, such as OPENAI_API_KEY, not the key")
    return text
