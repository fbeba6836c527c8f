"""The files of a user's project that a sandbox gets: all that its tests may need, and nothing else of the disk."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path

from engine.errors import UserError
from engine.params import is_unicode

# Not the project itself: version control, environments, what tools and builds left, other people's packages.
FOREIGN = frozenset({"__pycache__", "node_modules", "site-packages", "dist-packages"})  # wherever code is searched
_LEFT_OUT = FOREIGN | {"venv", "htmlcov"}
_LEFT_OUT_ABOVE = {"env", "build", "dist", "target", "out"}  # only right in the project's folder
MOST_FILES, MOST_BYTES, LARGEST_BYTES = 5000, 64 << 20, 16 << 20


def files_of(folder: Path, field: str = "") -> dict[str, Path]:
    """Path inside the project -> file, in their order; links, hidden files and names that are not UTF-8 are left out.

    Raises UserError, with the setting `field`, where it is more than a sandbox should hold.
    """
    found, size = {}, 0
    for path in _walk(folder):
        size += path.stat().st_size
        if path.stat().st_size > LARGEST_BYTES:
            size -= path.stat().st_size
            continue
        found[path.relative_to(folder).as_posix()] = path
        if len(found) > MOST_FILES or size > MOST_BYTES:
            raise UserError(
                f"{str(folder)!r} has more than {MOST_FILES} files or {MOST_BYTES >> 20} MiB; name the folder of the "
                "project itself, and keep its data elsewhere",
                field=field,
            )
    return found


def _walk(folder: Path) -> Iterator[Path]:
    for here, inner, names in os.walk(folder):
        left_out = _LEFT_OUT | _LEFT_OUT_ABOVE if Path(here) == folder else _LEFT_OUT
        inner[:] = sorted(name for name in inner if name not in left_out and _is_plain(name))
        for name in sorted(names):
            path = Path(here, name)
            is_made = name.endswith((".pyc", ".class"))
            if _is_plain(name) and not is_made and path.is_file() and not path.is_symlink():
                yield path


def _is_plain(name: str) -> bool:
    """Reports and ledgers, which are UTF-8, could not name other files, and no Python or Java code can import them."""
    return not name.startswith(".") and is_unicode(name)


def digest_of(files: Mapping[str, bytes]) -> str:
    """A hash of paths and contents."""
    found = blake2b(digest_size=16)
    for path, content in sorted(files.items()):
        found.update(f"{path}\0{len(content)}\0".encode() + content)
    return found.hexdigest()
