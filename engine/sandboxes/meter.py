"""The processor time of a tree of processes, read from outside, whatever the processes do to hide it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress

import psutil


class Meter:
    """Counts the processor time of all processes below one of them, the ended ones included; never too much.

    The kernel passes a process's time on to the parent that waits for it. Of a process that nobody waited for (its
    parent ignores SIGCHLD), what was last seen of it counts: what such a process uses after that is hidden, and in the
    end it is the clock that stops it.
    """

    def __init__(self, leader: int) -> None:
        """`leader`: the process above the tree; its own time does not count."""
        self._leader = leader
        self._seen: dict[psutil.Process, float] = {}  # each process's own time, as last seen

    def used(self, tree: Sequence[psutil.Process]) -> float:
        """Seconds so far, user and system; `tree` is all that lives below the leader, parents before their children.

        In that order a process that ends meanwhile is missed once, and never counted twice.
        """
        living: dict[psutil.Process, float] = {}
        waited_for = 0.0
        with suppress(psutil.Error):
            times = psutil.Process(self._leader).cpu_times()
            waited_for = times.children_user + times.children_system
        for process in tree:
            with suppress(psutil.Error):
                times = process.cpu_times()
                living[process] = times.user + times.system
                waited_for += times.children_user + times.children_system
        self._seen.update(living)
        ended = sum(self._seen.values()) - sum(living.values())
        return sum(living.values()) + max(waited_for, ended)


def is_running(tree: Sequence[psutil.Process]) -> bool:
    """Whether some thread of these processes runs or only waits for a processor; not where all sleep or are stopped."""
    for process in tree:
        with suppress(OSError), os.scandir(f"/proc/{process.pid}/task") as threads:
            for thread in threads:
                with suppress(OSError), open(f"{thread.path}/stat", "rb") as file:
                    if file.read().rpartition(b")")[2].split()[0] == b"R":  # proc(5), field 3
                        return True
    return False
