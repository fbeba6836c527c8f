"""Reads lines, CSV records and elements of a JSON array, each of any length, with little memory for those too long."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self

from engine.errors import UserError

_CHUNK = 1 << 20  # bytes read at a time of what is skipped
_OUTSIDE, _IN_TEXT = re.compile(rb'["{}\[\],]'), re.compile(rb'["\\]')  # what ends an element, or a text in it
_NAMED = re.compile(rb'\s*\{\s*"(?:[^"\\]|\\.)*"\s*:\s*\{')  # an object that begins with an object
_OPENS = re.compile(rb'(?<![^,])"')  # a quote opens a cell only where it comes first; elsewhere it is text


class TooLong(Exception):
    """A record is longer than allowed."""


def lines_within(path: Path, longest: int) -> Iterator[tuple[int, bytes | None]]:
    """Each line's number, from 1, and the line with its end; None for a line of more than `longest` bytes."""
    with path.open("rb") as file:
        number = 0
        while line := file.readline(longest + 1):
            number += 1
            if len(line) <= longest:
                yield number, line
                continue
            while line and not line.endswith(b"\n"):
                line = file.readline(_CHUNK)
            yield number, None


def is_array(path: Path) -> bool:
    """Whether a file of JSON begins as an array."""
    with path.open("rb") as file:
        return file.read(_CHUNK).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"["


def is_named_objects(path: Path) -> bool:
    """Whether a file of JSON is one object of objects, `{"Chart-1": {...}}`, and not an object on each line."""
    with path.open("rb") as file:
        begin = file.read(_CHUNK).removeprefix(b"\xef\xbb\xbf")
    first, _, more = begin.partition(b"\n")
    if not _NAMED.match(begin):
        return False
    try:
        alone = json.loads(first)
    except (ValueError, RecursionError):
        return True  # it goes on in further lines
    return not more.strip() and all(isinstance(each, dict) for each in alone.values())


def elements_within(path: Path, longest: int) -> Iterator[tuple[int, bytes | None]]:
    """Each element of a JSON array, or member of an object, by its number, from 1.

    None for one of more than `longest` bytes.

    Only brackets and quotes are looked at, so that one that is broken does not hide the others. What follows the array
    is not read; of one that is cut off, the last element is as far as it goes.
    """
    number = depth = size = 0
    is_text = is_escaped = False
    held = bytearray()  # of the current element; empty once it is too long
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            start, place = 0, int(is_escaped)
            is_escaped = False
            while found := (_IN_TEXT if is_text else _OUTSIDE).search(chunk, place):
                place, byte = found.end(), found[0]
                if is_text:
                    is_text = byte != b'"'
                    is_escaped = is_text and place == len(chunk)
                    place += is_text
                    continue
                is_text = byte == b'"'
                depth += (byte in b"{[") - (byte in b"}]")
                if depth == 1 and byte in b"{[":
                    start = place
                elif depth < 1 or (depth == 1 and byte == b","):
                    held, size = _longer(held, size, chunk[start : found.start()], longest)
                    if size > longest or held.strip():
                        number += 1
                        yield number, bytes(held) if size <= longest else None
                    if depth < 1:
                        return
                    held, size, start = bytearray(), 0, place
            held, size = _longer(held, size, chunk[start:], longest)
    if size > longest or held.strip():
        yield number + 1, bytes(held) if size <= longest else None


def _longer(held: bytearray, size: int, piece: bytes, longest: int) -> tuple[bytearray, int]:
    size += len(piece)
    return (held + piece if size <= longest else bytearray()), size


class Records:
    """Reads a CSV file by `reader`, which raises TooLong on a record of more than `longest` bytes; see `skip`."""

    def __init__(self, path: Path, longest: int) -> None:
        self._name = path.name
        self._longest = longest
        self._file = path.open("rb")
        self._number = 0  # of the current line
        self._ends_line = True  # whether the last bytes read were the end of a line
        self._record: list[bytes] = []  # what was read of the current record
        self._size = 0
        csv.field_size_limit(max(longest, csv.field_size_limit()))  # global in the process: raised, never lowered
        self.reader = csv.reader(self, strict=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def begin(self) -> int:
        """Call it before each record; returns the number of its first line."""
        self._record.clear()
        self._size = 0
        return self._number + 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        """The next line. Raises TooLong, and UserError if it is not UTF-8."""
        line = self._piece(self._longest + 1)
        if not line:
            raise StopIteration
        self._record.append(line)
        self._size += len(line)
        if self._size > self._longest:
            raise TooLong
        try:
            return (line.removeprefix(b"\xef\xbb\xbf") if self._number == 1 else line).decode("utf-8")
        except UnicodeDecodeError as error:
            byte = f"byte {line[error.start]:#04x} at {error.start + 1}"
            raise UserError(
                f"line {self._number} of {self._name} is not UTF-8 ({byte}); save the file as UTF-8",
                field="builder.file",
            ) from None

    def skip(self) -> None:
        """Skip the rest of a record that is too long, up to where `reader` would begin the next one.

        Raises csv.Error if a quote is never closed, since the beginning of the next record cannot be known then.
        """
        is_open, held = False, b""
        for piece in chain([b"".join(self._record)], iter(lambda: self._piece(_CHUNK), b"")):
            text = held + piece
            body = text.rstrip(b'"')
            is_open = _is_open(body, is_open)
            if piece.endswith(b"\n") and not is_open:
                return
            # whether the quotes at the end are escaped (two are one) depends on the next piece, and their meaning on
            # the character before them
            held = body[-1:] + b'"' * ((len(text) - len(body)) % 2)
        if _is_open(held, is_open):
            raise csv.Error("a quote is opened and never closed")

    def _piece(self, n_bytes: int) -> bytes:
        """A line, or the next `n_bytes` of it; empty at the end of the file."""
        piece = self._file.readline(n_bytes)
        self._number += bool(piece) and self._ends_line
        self._ends_line = piece.endswith(b"\n")
        return piece


def _is_open(text: bytes, is_open: bool) -> bool:
    """Whether a quoted cell is open after `text`; `is_open`: whether one is open before it."""
    text = text.replace(b'""', b"")  # an escaped quote in a quoted cell, or an empty cell
    place = 0
    while True:
        if is_open:
            place = text.find(b'"', place) + 1
            if not place:
                return True
        else:
            found = _OPENS.search(text, place)
            if found is None:
                return False
            place = found.end()
        is_open = not is_open
