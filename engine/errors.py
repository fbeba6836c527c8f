"""Errors that are not bugs of ours: the user can fix them, a tool is missing, or something outside failed.

A bug of ours is an `assert` or a plain exception instead, and is never caught.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)  # error numbers of a full disk, or of a user's full quota


class UserError(Exception):
    """An error that the user can fix; the text says what is wrong, with the value, and what to do.

    `field` is the path of the setting that is wrong ("trainer.rank"), so that a form can mark it; may be empty.
    """

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class DoesNotFit(UserError):
    """The memory will not be enough, as far as it can be estimated; the text has the numbers and what would fit."""


class MissingDependency(UserError):
    """An optional tool or package is not installed; the text says how to get it."""


class OutsideFailure(Exception):
    """Something outside failed (disk full, worker lost); never the fault of a patch."""


class PartFailure(Exception):
    """A worker that does a part of a run failed, of this cause (`engine.events.State`)."""

    def __init__(self, message: str, cause: str) -> None:
        super().__init__(message)
        self.cause = cause


class ServiceFailure(OutsideFailure):
    """A service did not answer, or otherwise than it should; what it answered before is kept, so asking can go on."""


class SandboxUnavailable(OutsideFailure):
    """No sandbox works on this machine, so no foreign code was run; the text says why."""


class OutOfMemory(Exception):
    """The memory was not enough; the text says at which step, with which samples, and what would fit."""


def links(error: BaseException | None) -> Iterator[BaseException]:
    """An error, then what caused it or was being handled, each once."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def is_out_of_memory(error: BaseException) -> bool:
    """Whether it is a GPU's, a CPU's or Python's own error; checked by name, so that torch need not be imported."""
    chain = list(links(error))
    names = {kind.__name__ for link in chain for kind in type(link).__mro__}
    return bool(names & {"MemoryError", "OutOfMemoryError", "OutOfMemory"}) or any(
        "can't allocate memory" in str(link) for link in chain
    )
