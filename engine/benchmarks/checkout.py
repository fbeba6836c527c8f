"""Files of a benchmark that a user has copied to this machine, or what to do where they are not there."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from pathlib import Path

from engine.benchmarks.runners.project_files import LARGEST_BYTES
from engine.errors import UserError
from engine.reading import open_regular


def files(folder: str, patterns: Sequence[str], name: str, how: str) -> list[Path]:
    """The files of the first pattern below `folder` that any match, in the order of their names.

    `name`: "QuixBugs checkout"; `how`: a command that gets it. Raises UserError where none is there.
    """
    for pattern in patterns if folder else ():
        if found := sorted(Path(folder).glob(pattern)):
            return found
    where = f"no {name} in {folder}" if folder else "no folder is named"
    raise UserError(f"{where}; {how} and give its folder", field="benchmark.folder")


def content(file: Path, root: Path) -> bytes:
    """Of a regular file of at most LARGEST_BYTES below the folder `root`. Raises OSError on all else.

    The folder may be a stranger's, and models and patches are given what is read from it: a link below it could name
    any file of this machine. `root` itself, which the user named, may be one.
    """
    for above in file.relative_to(root).parents:
        if (folder := root / above) != root and folder.is_symlink():
            raise OSError(errno.ELOOP, f"{above} is a link, and not a folder of its own", str(file))
    with open(open_regular(file), "rb") as opened:
        found = opened.read(LARGEST_BYTES + 1)
    if len(found) > LARGEST_BYTES:
        raise OSError(errno.EFBIG, f"it is larger than {LARGEST_BYTES >> 20} MiB", str(file))
    return found
