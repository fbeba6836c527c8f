"""A sandbox that stays open: one command in it that does job after job, and what is looked at between two of them."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable

import psutil

from engine.sandboxes import Limits


class Place(Protocol):
    """An open sandbox. Leaving the context in which it was opened ends all that is in it."""

    process: subprocess.Popen[bytes]  # what was started on the host; its stdout and stderr are the command's, as pipes
    channel: socket.socket  # our end of the command's standard input, a stream of bytes and of descriptors
    leader: int  # the process on the host below which all of the sandbox runs

    def is_full(self, tree: list[psutil.Process]) -> bool:
        """Whether a folder that can be written is full."""

    def is_empty(self) -> bool:
        """Whether nothing is left in the folders that can be written, and they can still be read and written."""

    def kill(self) -> None:
        """End everything; when this returns no process of the sandbox is left."""


@runtime_checkable
class Lasting(Protocol):
    """A sandbox that can be kept open. One that cannot is used afresh for every patch."""

    def open(
        self, argv: Sequence[str], files: Mapping[str, bytes], limits: Limits, *, tools: Mapping[str, str] | None = None
    ) -> AbstractContextManager[Place]:
        """Start `argv`; `files`, `tools` and the limits inside as in `Sandbox.run`.

        Nothing watches the time, memory, disk and output that it uses; see `attend`. The place ends with the thread
        that opened it. Raises SandboxUnavailable where it does not come up.
        """


def untouched(folders: Sequence[int]) -> bool:
    """Whether these open folders are empty and only their owner's mode is as it should be: readable and writable."""
    return all(not os.listdir(folder) and os.fstat(folder).st_mode & stat.S_IRWXU == stat.S_IRWXU for folder in folders)
