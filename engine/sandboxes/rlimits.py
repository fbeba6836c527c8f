"""The kernel's per-process limits that both sandboxes set inside, before the payload starts.

They are the second line: the watcher bounds the whole tree. RLIMIT_AS is never set, a JVM reserves far more address
space than it uses. RLIMIT_CPU counts whole seconds of every thread of one process, its start included: with room for
that it never fires before the watcher, and ends a payload even if its watcher is gone. All are hard limits, which a
payload cannot raise.
"""

from __future__ import annotations

import math
import os
import resource

from engine.sandboxes import MIB, Limits, Start

OPEN_FILES = 1024
STACK_BYTES = 64 * MIB


def rlimits(limits: Limits, start: Start | None = None) -> dict[str, int]:
    """Name as in `prlimit --NAME` -> value, none above the hard limit that this process itself has."""
    most_cpu_s = limits.wall_s * (os.cpu_count() or 1) if limits.cpu_s is None else limits.cpu_s
    wanted = {
        "nproc": limits.processes,
        "fsize": limits.file_bytes,
        "nofile": OPEN_FILES,
        "core": 0,
        "cpu": math.ceil(most_cpu_s + (start.cpu_s if start else 0.0)) + 1,
        "data": limits.memory_bytes,
        "stack": STACK_BYTES,
    }
    return {name: _allowed(name, value) for name, value in wanted.items()}


def _allowed(name: str, value: int) -> int:
    _, hard = resource.getrlimit(getattr(resource, f"RLIMIT_{name.upper()}"))
    return value if hard == resource.RLIM_INFINITY else min(value, hard)
