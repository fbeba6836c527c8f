"""Errors that are not bugs of ours: the user can fix them, a tool is missing, or something outside failed.

A bug of ours is an `assert` or a plain exception instead, and is never caught.
"""

from __future__ import annotations

import errno

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)  # error numbers of a full disk, or of a user's full quota


class UserError(Exception):
    """An error that the user can fix; the text says what is wrong, with the value, and what to do.

    `field` is the path of the setting that is wrong ("trainer.rank"), so that a form can mark it; may be empty.
    """

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class MissingDependency(UserError):
    """An optional tool or package is not installed; the text says how to get it."""


class OutsideFailure(Exception):
    """Something outside failed (disk full, worker lost); never the fault of a patch."""


class SandboxUnavailable(OutsideFailure):
    """No sandbox works on this machine, so no foreign code was run; the text says why."""
