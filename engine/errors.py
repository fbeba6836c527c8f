"""The kinds of trouble that are not our bug: the user can mend it, a part is missing, or the outside failed.

A broken promise of our own is an `assert` or a plain exception instead, and is never caught.
"""

from __future__ import annotations

import errno

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)  # what the system says when a disk, or the user's share of it, is full


class UserError(Exception):
    """Something the user can put right; the text says what is wrong, with the value, and what to do.

    `field` names the setting it concerns ("trainer.rank"), if one does, so that a form can mark it.
    """

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class MissingDependency(UserError):
    """An optional tool or package is not installed; the text says how to get it."""


class OutsideFailure(Exception):
    """Something outside failed (disk full, worker lost); never the fault of a patch."""


class SandboxUnavailable(OutsideFailure):
    """No sandbox level works on this machine, so nothing foreign was run; the text says why."""
