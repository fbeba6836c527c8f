"""The small files of a folder, a .zip or a .tar.gz, one at a time; nothing is unpacked to the disk.

Archives are hostile: paths that lead out of them, links, and whatever unpacks to far more than it is are refused. The
forms are those of PKWARE's APPNOTE.TXT (zip) and POSIX's pax (tar), as `zipfile` and `tarfile` read them.
"""

from __future__ import annotations

import gzip
import os
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from io import BufferedIOBase
from pathlib import Path, PurePosixPath
from typing import IO, cast

from engine.builders import Funnel
from engine.errors import UserError

ARCHIVES = (".zip", ".tar.gz", ".tgz", ".tar")
LONGEST = 4 << 20  # bytes of one file
MOST_FILES = 65_535  # in an archive, as many as a plain .zip can hold
MOST_BYTES = 2 << 30  # unpacked, of all files of an archive
RATIO, FREE_OF_RATIO = 200, 64 << 20  # most bytes unpacked for each byte of an archive, from so many bytes on
_DIRECTORY = 8 << 20  # bytes of a .zip's list of files; in memory it takes up to 15 times as much
_HEADS = 1 << 20  # bytes of what a .tar says of one file: its names, and further heads before it
_BLOCK = 64 << 10  # bytes of a .tar that are read at once
_TOO_LONG = f"longer than {LONGEST >> 20} MiB"
_LEADS_OUT = "its path leads out of the archive"
_UNSAFE = re.compile(r"^[/\\]|^[A-Za-z]:|[\x00-\x1f\\]")


def is_archive(path: Path) -> bool:
    """By its name."""
    return path.name.lower().endswith(ARCHIVES)


def files_in(place: Path, endings: tuple[str, ...], funnel: Funnel, field: str) -> Iterator[tuple[str, bytes]]:
    """Path and content of each file with one of these endings, in the order of names or of the archive, or of one file.

    Each is counted in `funnel.source`; one that is too long, a link, or cannot be read is lost. Raises UserError, with
    the setting `field`, where the archive is broken or too large.
    """
    try:
        if place.is_dir():
            yield from _in_folder(place, endings, funnel)
        elif place.name.lower().endswith(".zip"):
            yield from _in_zip(place, endings, funnel)
        elif not is_archive(place):
            yield from _of_folder(place.parent, [place], funnel)
        else:
            yield from _in_tar(place, endings, funnel)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, OSError, ValueError, RecursionError) as error:
        after = f" after {funnel.source:,} files" if funnel.source else ""
        raise UserError(
            f"{place.name} is damaged or cut off{after} ({error}); copy or download it again", field=field
        ) from None
    except _TooMuch as error:
        raise UserError(f"{place.name} {error}; unpack it yourself and name the folder", field=field) from None


class _TooMuch(Exception):
    """An archive holds more than it may; the text goes on from its name."""


def _in_folder(place: Path, endings: tuple[str, ...], funnel: Funnel) -> Iterator[tuple[str, bytes]]:
    unread: list[OSError] = []
    for folder, inner, names in os.walk(place, onerror=unread.append):
        inner.sort()
        wanted = [Path(folder, name) for name in sorted(names) if name.lower().endswith(endings)]
        yield from _of_folder(place, wanted, funnel)
    for error in unread:
        funnel.source += 1
        funnel.lose(f"a folder cannot be read: {error.strerror}", os.path.relpath(os.fsdecode(error.filename), place))


def _of_folder(place: Path, files: Sequence[Path], funnel: Funnel) -> Iterator[tuple[str, bytes]]:
    for path in files:
        where = path.relative_to(place).as_posix()
        funnel.source += 1
        try:
            content = _content(path)
        except OSError as error:
            content = f"cannot be read: {error.strerror}"
        if isinstance(content, str):
            funnel.lose(content, where)
        else:
            yield where, content


def _content(path: Path) -> bytes | str:
    """The file's content, or why it is not read."""
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        return "is a link"
    if not stat.S_ISREG(found.st_mode):
        return "is no ordinary file"
    with path.open("rb") as file:
        content = file.read(LONGEST + 1)
    return content if len(content) <= LONGEST else _TOO_LONG


def _in_zip(place: Path, endings: tuple[str, ...], funnel: Funnel) -> Iterator[tuple[str, bytes]]:
    _check_directory(place)
    with zipfile.ZipFile(place) as archive:
        if len(archive.infolist()) > MOST_FILES:  # whatever the number is that its end states
            raise _TooMuch(f"holds more than {MOST_FILES:,} files")
        _check_size(sum(each.file_size for each in archive.infolist()), place)
        seen: set[str] = set()
        for entry in archive.infolist():
            if entry.is_dir() or not entry.filename.lower().endswith(endings):
                continue
            mode = entry.external_attr >> 16
            kind = stat.S_IFMT(mode)
            refused = _refused(entry.filename, stat.S_ISLNK(mode), kind in (0, stat.S_IFREG), entry.file_size, seen)
            if not refused and entry.flag_bits & 1:
                refused = "is encrypted"
            if not refused and entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                refused = "is packed by another method than deflate"  # others may ask for 4 GiB of memory
            content = b""
            if not refused:
                try:
                    with archive.open(entry) as file:
                        content = file.read(LONGEST + 1)
                    refused = _TOO_LONG if len(content) > LONGEST else ""
                except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError):
                    refused = "cannot be unpacked"
            yield from _told(entry.filename, content, refused, funnel)


def _check_directory(place: Path) -> None:
    """Raises _TooMuch by the end of a .zip, before `zipfile` reads its whole list of files into memory."""
    with place.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - (1 << 16) - 42))
        end = file.read()
    at = end.rfind(b"PK\x05\x06")
    if at < 0 or len(end) < at + 22:
        raise zipfile.BadZipFile("it has no list of files")
    if int.from_bytes(end[at + 10 : at + 12], "little") == MOST_FILES or end[max(0, at - 20) : at][:4] == b"PK\x06\x07":
        raise _TooMuch(f"holds more than {MOST_FILES - 1:,} files, or 4 GiB")
    if int.from_bytes(end[at + 12 : at + 16], "little") > _DIRECTORY:
        raise _TooMuch(f"has a list of files of more than {_DIRECTORY >> 20} MiB")


class _Within:
    """Reads a .tar, which may be compressed, only up to a limit: `tarfile` takes whole heads into memory."""

    def __init__(self, file: BufferedIOBase) -> None:
        self._file, self._done = file, 0
        self.limit = _HEADS  # bytes from the beginning

    def read(self, size: int) -> bytes:
        """Raises _TooMuch."""
        if self._done > self.limit:
            raise _TooMuch(f"says more than {_HEADS >> 20} MiB about one file")
        found = self._file.read(size)
        self._done += len(found)
        return found


def _in_tar(place: Path, endings: tuple[str, ...], funnel: Funnel) -> Iterator[tuple[str, bytes]]:
    seen: set[str] = set()
    opened = open if place.name.lower().endswith(".tar") else gzip.open
    n_files = 0
    with ExitStack() as opening:
        within = _Within(opening.enter_context(opened(place, "rb")))
        archive = opening.enter_context(
            tarfile.open(fileobj=cast("IO[bytes]", within), mode="r|", bufsize=_BLOCK)  # it only calls `read`
        )
        while (entry := archive.next()) is not None:
            archive.members.clear()  # type: ignore[attr-defined]  # tarfile would keep all of them in memory
            archive.pax_headers = {}
            n_files += 1
            if n_files > MOST_FILES:
                raise _TooMuch(f"holds more than {MOST_FILES:,} files")
            _check_size(archive.offset, place)  # where the next file begins
            within.limit = archive.offset + _HEADS
            if entry.isdir() or not entry.name.lower().endswith(endings):
                continue
            refused = _refused(entry.name, entry.issym() or entry.islnk(), entry.isreg(), entry.size, seen)
            content = None if refused else archive.extractfile(entry)
            yield from _told(entry.name, content.read() if content else b"", refused, funnel)


def _check_size(n_bytes: int, place: Path) -> None:
    if n_bytes > MOST_BYTES:
        raise _TooMuch(f"unpacks to more than {MOST_BYTES >> 30} GiB")
    if n_bytes > FREE_OF_RATIO and n_bytes > RATIO * place.stat().st_size:
        raise _TooMuch(f"unpacks to more than {RATIO} times its size")


def _refused(name: str, is_link: bool, is_file: bool, n_bytes: int, seen: set[str]) -> str:
    """Why an entry is not read; empty where it may be."""
    path = PurePosixPath(name)
    if _UNSAFE.search(name) or ".." in path.parts:
        return _LEADS_OUT
    if is_link:
        return "is a link"
    if not is_file:
        return "is no ordinary file"
    if n_bytes > LONGEST:
        return _TOO_LONG
    if str(path) in seen:
        return "a file of this name came before"
    seen.add(str(path))
    return ""


def _told(name: str, content: bytes, refused: str, funnel: Funnel) -> Iterator[tuple[str, bytes]]:
    funnel.source += 1
    if refused:
        funnel.lose(refused, name[:200])
    else:
        yield str(PurePosixPath(name)), content
