"""Files that are written completely or not at all, also on a full disk."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def write_whole(path: Path, values: dict[str, Any]) -> None:
    """Write the complete file, or leave it as it was."""
    unfinished = path.with_name(f"{path.name}.tmp")
    unfinished.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
    unfinished.rename(path)


def append_whole(path: Path, line: bytes, *, is_new: bool = False) -> None:
    """Append all of `line` or nothing. A missing file is created only if `is_new`; else its folder was removed."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | (os.O_CREAT if is_new else 0), 0o600)
    try:
        start, left = os.fstat(descriptor).st_size, memoryview(line)
        try:
            while left:
                left = left[os.write(descriptor, left) :]
        except OSError as error:
            os.ftruncate(descriptor, start)
            raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        os.close(descriptor)
