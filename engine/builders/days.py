"""The day of a fix, as tables write it: a day, a time in ISO 8601, or seconds since 1970."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any

EARLIEST_S = 100_000_000  # 1973; a smaller number is no time of a commit


def day_of(cell: Any) -> str:
    """The day in UTC, in ISO 8601; empty for what is none."""
    try:
        if isinstance(cell, str):
            cell = _read(cell.strip())
        if isinstance(cell, int | float) and not isinstance(cell, bool) and cell >= EARLIEST_S:
            cell = datetime.fromtimestamp(cell, UTC)
        if isinstance(cell, datetime):
            return (cell.astimezone(UTC) if cell.tzinfo else cell).date().isoformat()
        return cell.isoformat() if isinstance(cell, date) else ""
    except (ValueError, OverflowError, OSError):
        return ""


def _read(text: str) -> datetime | float | None:
    with suppress(ValueError):
        return datetime.fromisoformat(text)
    return float(text) if text.replace(".", "", 1).isdecimal() and text.isascii() else None
