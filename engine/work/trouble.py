"""Finds the cause of a run's failure, and a sentence about it."""

from __future__ import annotations

import os
import shutil
import traceback
from pathlib import Path

from engine.errors import (
    DISK_FULL,
    DoesNotFit,
    OutOfMemory,
    OutsideFailure,
    PartFailure,
    ServiceFailure,
    UserError,
    is_out_of_memory,
    links,
)

SAYS_FULL = ("no space left on device", "os error 28", "disk quota exceeded")
# messages of torch's zip writer, which does not say why a write was incomplete
SAYS_SHORT = ("unexpected pos", "pytorchstreamwriter failed", "file write failed")
CHECKPOINTS = "artifacts/checkpoints"  # the largest files of a run
SCARCE_BYTES = 64 << 20  # an incomplete write with less than this free means a full disk


def cause_of(error: BaseException, folder: Path) -> tuple[str, str]:
    """(cause, text) as in `engine.events.State`; `folder` is where the run writes."""
    if isinstance(error, PartFailure):
        return error.cause, str(error)
    if path := full_disk(error, folder):
        return "disk_full", f"the disk is full: {path} has {shutil.disk_usage(path).free:,} bytes free"
    if isinstance(error, OutOfMemory):
        return "out_of_memory", str(error)
    if is_out_of_memory(error):
        return "out_of_memory", f"out of memory: {_first_line(error)}"
    if isinstance(error, DoesNotFit):
        return "does_not_fit", str(error)
    if isinstance(error, UserError):
        return "user", str(error)
    if isinstance(error, ServiceFailure):
        return "outside", f"{error}; resume the run to go on"
    if isinstance(error, OutsideFailure):
        return "outside", str(error)
    return "bug", last_line(error)


def full_disk(error: BaseException, folder: Path) -> Path | None:
    """The folder on the full disk if `error` or one of its causes is about a full disk; else None."""
    written_in = checkpoints if (checkpoints := folder / CHECKPOINTS).is_dir() else folder  # maybe on another disk
    for link in links(error):
        text = str(link).lower()
        is_short = any(words in text for words in SAYS_SHORT) and _free(written_in) < SCARCE_BYTES
        if (
            (isinstance(link, OSError) and link.errno in DISK_FULL)
            or any(words in text for words in SAYS_FULL)
            or is_short
        ):
            name = getattr(link, "filename", None)
            place = Path(os.fsdecode(name)).parent if isinstance(name, str | bytes) else written_in
            return place if place.exists() else written_in
    return None


def last_line(error: BaseException) -> str:
    """The last line of the traceback and where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    said = traceback.format_exception_only(error)[-1].strip()
    return said + where


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
