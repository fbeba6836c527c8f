"""The main memory that a process here can use: the machine's, or less where a control group limits it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

CGROUPS = Path("/sys/fs/cgroup")
OF_PROCESS = Path("/proc/self/cgroup")


@dataclass(frozen=True)
class MainMemory:
    """Bytes; what is free includes caches that the kernel gives up when they are needed."""

    total_bytes: int
    free_bytes: int

    @property
    def used_bytes(self) -> int:
        return self.total_bytes - self.free_bytes


def main_memory(cgroups: Path = CGROUPS, of_process: Path = OF_PROCESS) -> MainMemory:
    """The least of the machine and of every control group that this process is in (version 2 or 1)."""
    machine = psutil.virtual_memory()
    found = MainMemory(machine.total, machine.available)
    for folder, limit_file, used_file in _groups(cgroups, of_process):
        with suppress(OSError, ValueError):  # ValueError: "max", no limit
            limit = int((folder / limit_file).read_text())
            used = int((folder / used_file).read_text()) - _cached(folder)
            if limit < found.total_bytes:
                found = MainMemory(limit, min(found.free_bytes, max(0, limit - used)))
    return found


def _groups(cgroups: Path, of_process: Path) -> list[tuple[Path, str, str]]:
    """(folder, file of its limit, file of its use) of each group, the innermost first (cgroups(7))."""
    found: list[tuple[Path, str, str]] = []
    with suppress(OSError):
        for line in of_process.read_text().splitlines():
            _, controllers, inner = line.split(":", 2)
            if controllers not in ("", "memory"):
                continue
            root = cgroups / "memory" if controllers else cgroups
            names = (
                ("memory.limit_in_bytes", "memory.usage_in_bytes") if controllers else ("memory.max", "memory.current")
            )
            place = root / inner.lstrip("/")
            found += [(each, *names) for each in (place, *place.parents) if each.is_relative_to(root)]
    return found


def _cached(folder: Path) -> int:
    """Bytes of files that the group has read and the kernel may drop."""
    with suppress(OSError, ValueError):
        for line in (folder / "memory.stat").read_text().splitlines():
            name, _, number = line.partition(" ")
            if name in ("inactive_file", "total_inactive_file"):
                return int(number)
    return 0
