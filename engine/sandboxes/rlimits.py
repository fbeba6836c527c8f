"""The kernel's per-process limits that both sandboxes set inside, before the payload starts.

They are the second line: the watcher bounds the whole tree. RLIMIT_AS is never set, a JVM reserves far more address
space than it uses. RLIMIT_CPU counts seconds of every thread, so it is the wall clock times the cores: it never
fires first, and ends a payload even if its watcher is gone.
"""

from __future__ import annotations

import math
import os
import resource

from engine.sandboxes import MIB, Limits

OPEN_FILES = 1024
STACK_BYTES = 64 * MIB


def rlimits(limits: Limits) -> dict[str, int]:
    """Name as in `prlimit --NAME` -> value, none above the hard limit that this process itself has."""
    wanted = {
        "nproc": limits.processes,
        "fsize": limits.file_bytes,
        "nofile": OPEN_FILES,
        "core": 0,
        "cpu": math.ceil(limits.wall_s) * (os.cpu_count() or 1) + 1,
        "data": limits.memory_bytes,
        "stack": STACK_BYTES,
    }
    return {name: _allowed(name, value) for name, value in wanted.items()}


def _allowed(name: str, value: int) -> int:
    _, hard = resource.getrlimit(getattr(resource, f"RLIMIT_{name.upper()}"))
    return value if hard == resource.RLIM_INFINITY else min(value, hard)
