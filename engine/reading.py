"""Reads events from a file to which another process appends: complete lines only, with plausible numbers only.

A run's folder may come from a stranger, so nothing in it is opened but regular files.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from engine import events
from engine.events import Event

LINE_BYTES = 64 << 20  # the longest event
REASON_CHARS = 300


def open_regular(path: Path, flags: int = os.O_RDONLY) -> int:
    """A descriptor of a regular file. Raises OSError on all else: a pipe may wait for ever, a link lead elsewhere."""
    try:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise OSError(errno.ELOOP, "it is a link, and not a file of its own", str(path)) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    return descriptor


def end_of(path: Path, n_bytes: int) -> str:
    """The end of a regular file as text, of at most `n_bytes`; empty if there is no file. Raises OSError."""
    try:
        with open(open_regular(path), "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - n_bytes))
            return file.read(n_bytes).decode("utf-8", "replace").replace("\0", "")
    except FileNotFoundError:
        return ""


@dataclass(frozen=True)
class Reading:
    """The events read, the offset where the next reading starts, and the number of unreadable lines.

    `reason`: why the first of these cannot be read, in a few words that may repeat what stands in it.
    """

    events: list[Event]
    offset: int
    broken: int
    reason: str = ""


def read_from(
    path: Path, offset: int = 0, most: int | None = None, *, last: int | None = None, broken: int = 0
) -> Reading:
    """Read complete lines from byte `offset`, about `most` bytes of them.

    `last` is the number of the event before them, `broken` the count of unreadable lines so far; with `last=None` the
    first number found is accepted. Never reads past the last newline. Lines that are not events, are longer than
    LINE_BYTES, or have a number larger than the lines before allow, count as broken: a worker numbers its events from 1
    without gaps, and after a number that is too large, all later events would be taken for old ones.
    """
    found, before, reason = [], broken, ""
    last = 0 if offset == 0 else last
    with open(open_regular(path), "rb") as file:
        end = file.seek(offset)
        while most is None or end - offset < most:
            line = file.readline(LINE_BYTES + 1)
            is_whole = line.endswith(b"\n")
            while len(line) > LINE_BYTES and not is_whole and (rest := file.readline(LINE_BYTES)):
                is_whole = rest.endswith(b"\n")
            if not is_whole:
                break  # the end of the file, or a line that is still being written
            end = file.tell()
            if not line.strip():
                continue
            try:
                event = _event(line, None if last is None else last + 1 + broken)
            except ValueError as error:
                broken += 1
                reason = reason or _why(error)
            else:
                last = max(last or 0, event.seq)
                found.append(event)
    return Reading(found, end, broken - before, reason)


def _event(line: bytes, largest: int | None) -> Event:
    """`largest`: the number that it may have. Raises ValueError."""
    if len(line) > LINE_BYTES:
        raise ValueError(f"longer than {LINE_BYTES >> 20} MiB")
    event = events.read(line)
    if largest is not None and event.seq > largest:
        raise ValueError(f"seq: {event.seq} where {largest} is the largest that can be")
    return event


def _why(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)[:REASON_CHARS]
    first = error.errors(include_url=False)[0]
    place = ".".join([error.title.lstrip("_"), *map(str, first["loc"])])
    return f"{place}: {first['msg'].removeprefix('Input ')}"[:REASON_CHARS]
