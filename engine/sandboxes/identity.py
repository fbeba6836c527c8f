"""The user that runs foreign code, and the host paths that this user can read.

A root runner hands each run its own unprivileged user id: as root no process limit holds, and a shared id would let
one run signal another or take all processes from it. Any other runner lends its own id, which the sandbox levels
confine themselves.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from engine.errors import OutsideFailure

FIRST_UID = 60578  # systemd's table of ids lists 60578..60705 as unused; 65534 may own reserved disk blocks
UIDS = 128


def payload_uids() -> Iterator[int | None]:
    """Endless user ids, one a run; None where the runner is not root and keeps its own."""
    if os.geteuid() != 0:
        return itertools.repeat(None)
    # An offset by pid keeps two runners on one machine apart; a clash only shares a process limit.
    return (FIRST_UID + turn % UIDS for turn in itertools.count(os.getpid()))


def reachable(path: str | os.PathLike[str]) -> bool:
    """Whether a payload could read this file or folder (not: everything below it)."""
    if os.geteuid() != 0:
        return os.access(path, os.R_OK)
    try:
        real = Path(path).resolve(strict=True)
        folders = {*Path(path).absolute().parents, *real.parents}
        mode = real.stat().st_mode
        needed = 0o5 if real.is_dir() else 0o4
        return mode & needed == needed and all(folder.stat().st_mode & 0o1 for folder in folders)
    except OSError:
        return False


def reachable_parent() -> str:
    """A folder for temporary folders whose content payloads can read once it is opened to them (mode 0755).

    Raises OutsideFailure where no temporary folder can be reached by another user.
    """
    for parent in (tempfile.gettempdir(), "/tmp", "/var/tmp"):  # noqa: S108 - only for mkdtemp, which is safe there
        if reachable(parent) and os.access(parent, os.W_OK):
            return parent
    raise OutsideFailure("no temporary folder is readable by the unprivileged user that runs patches; set TMPDIR")
