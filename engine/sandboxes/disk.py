"""How much of the host's disk a tree of processes has filled; part of the Landlock sandbox's launcher, see `jail`.

The disk's free space is looked at every few milliseconds, which costs one system call. Only once as much of it has gone
as the tree had left does it matter who took it, and then each process's own account is read. Files that were deleted
count that way however they are kept: open, mapped into memory, or on their way through a socket.
"""

from __future__ import annotations

import os

FASTEST = 4e9  # bytes a second that may go to the disk; two processors wrote 2.5e9
PAUSES_S = (0.001, 0.005)  # between two looks, at least and at most
# A process that has written this much gets only idle processor time from then on, so that it never delays a check.
YIELD_BYTES = 16 << 20


class Disk:
    """What the processes below this one may still write to one disk."""

    def __init__(self, folder: str, most: int, uid: int | None) -> None:
        """`folder`: on that disk; `most`: bytes that they may write; `uid`: their user, where that is another."""
        self._folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        self._most, self._uid = most, uid
        self._left: float = min(most, YIELD_BYTES)  # until the next count
        self._free = self._free_bytes()

    def pause_s(self) -> float:
        """Seconds until the next look."""
        shortest, longest = PAUSES_S
        return min(longest, max(shortest, (self._left - self._gone()) / FASTEST))

    def is_due(self) -> bool:
        """Whether to count: they may have written what they had left, if nobody else has written."""
        return self._gone() > self._left

    def is_over(self) -> bool:
        """Count what they have written, while they are stopped. Changes this process's effective user meanwhile."""
        free, pids = self._free_bytes(), tree()
        written = account(os.getpid())  # of those that were waited for
        if self._uid is not None:  # the kernel obeys their own user, and root not in every container
            os.setegid(self._uid)
            os.seteuid(self._uid)
        written += sum(map(account, pids))
        next_count = min(self._most, YIELD_BYTES)
        if written > YIELD_BYTES:
            next_count = self._most
            yield_to_others(pids)
        if self._uid is not None:
            os.seteuid(0)
            os.setegid(0)
        self._left, self._free = next_count - written, free
        return written > self._most

    def _free_bytes(self) -> int:
        state = os.fstatvfs(self._folder)
        return state.f_bfree * state.f_frsize

    def _gone(self) -> int:
        return self._free - self._free_bytes()


def tree() -> list[int]:
    """All processes below this one; none where the kernel keeps no lists of children."""
    found: list[int] = []
    waiting = [os.getpid()]
    while waiting:
        pid = waiting.pop()
        for thread in threads(pid):
            try:
                with open(f"/proc/{pid}/task/{thread}/children", "rb") as children:
                    new = [int(child) for child in children.read().split()]
            except OSError:
                continue
            waiting += new
            found += new
    return found


def threads(pid: int) -> list[int]:
    """The numbers of a process's threads; none where it is gone."""
    try:
        return [int(thread) for thread in os.listdir(f"/proc/{pid}/task")]
    except OSError:
        return []


def account(pid: int) -> float:
    """Bytes that a process, and those it waited for, gave the kernel for the disk (proc(5), /proc/PID/io).

    Without those deleted before they got there. Infinite where a living process does not let it be read: none does so
    by chance.
    """
    try:
        with open(f"/proc/{pid}/io", "rb") as file:
            figures = dict(line.split(b":") for line in file)
    except PermissionError:
        return float("inf") if is_alive(pid) else 0.0
    except OSError:
        return 0.0
    return float(figures[b"write_bytes"]) - float(figures[b"cancelled_write_bytes"])


def is_alive(pid: int) -> bool:
    """Whether it still has memory: one that is ending has none, and then root owns its account."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            return stat.read().rpartition(b")")[2].split()[20] != b"0"  # proc(5), field 23
    except OSError:
        return False


def yield_to_others(pids: list[int]) -> None:
    """Let these processes, and all that they start, run only when no other wants to."""
    for thread in (thread for pid in pids for thread in threads(pid)):
        try:
            os.sched_setscheduler(thread, os.SCHED_IDLE, os.sched_param(0))
        except OSError:
            continue
