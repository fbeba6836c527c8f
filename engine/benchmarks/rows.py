"""A benchmark's rows in one JSONL file that a user has on this machine, packed or not."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from engine.benchmarks import checkout
from engine.errors import UserError


def read(folder: str, names: Sequence[str], how: str, needed: Collection[str]) -> list[dict[str, Any]]:
    """The rows of the first file of these names below `folder`, or of `folder` where it is the file itself.

    `how`: what to do to get it; `needed`: the fields that each row has. Raises UserError naming file and line.
    """
    path = file(folder, names, how)
    opened = gzip.open if path.suffix == ".gz" else open
    found: list[dict[str, Any]] = []
    try:
        with opened(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    found.append(_row(line, f"{path}, line {number}", needed))
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise UserError(f"{path} cannot be read: {error}; {how}", field="benchmark.folder") from None
    if not found:
        raise UserError(f"{path} holds no rows; {how}", field="benchmark.folder")
    return found


def file(folder: str, names: Sequence[str], how: str) -> Path:
    """Where the rows lie. Raises UserError where they are nowhere."""
    if folder and Path(folder).is_file():
        return Path(folder)
    patterns = [f"{where}{name}" for where in ("", "*/") for name in names]
    return checkout.files(folder, patterns, names[0], how)[0]


def _row(line: str, where: str, needed: Collection[str]) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where}: not JSON: {error}", field="benchmark.folder") from None
    if not isinstance(row, dict) or (missing := sorted(set(needed) - row.keys())):
        lacks = f"lacks {', '.join(missing)}" if isinstance(row, dict) else "is no object"
        raise UserError(f"{where}: the row {lacks}; is it another benchmark's file?", field="benchmark.folder")
    return row
