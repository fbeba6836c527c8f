"""Running foreign code: the interface of a sandbox.

Covered: time, memory, processes, output, disk, network, environment and files of the host. Not covered: faults of
the kernel, timing side channels, and a program that forges its own test report from inside its own process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol, runtime_checkable

MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What one run may use; beyond it the whole process tree is killed."""

    wall_s: float = 10.0  # by the clock
    # processor time, summed over the tree; if set, `wall_s` ends only what sleeps, and 10 x `wall_s` ends everything
    cpu_s: float | None = None
    memory_bytes: int = 1024 * MIB  # resident, summed over the tree
    processes: int = 64  # a JVM needs 128
    file_bytes: int = 32 * MIB  # the largest single file
    box_bytes: int = 128 * MIB  # all that is written in the working folder
    output_bytes: int = MIB  # kept of stdout and of stderr each


@dataclass(frozen=True)
class Start:
    """The part of a run before the code that the limits are for: an interpreter, a compiler.

    Until `line` appears on standard output these limits apply; from then on those in `Limits` do.
    """

    line: bytes  # without its end
    wall_s: float
    cpu_s: float


@dataclass(frozen=True)
class Ran:
    """What a run left behind. `ended` says why it ended; anything but "exit" means the tree was killed."""

    ended: str  # "exit" | "timeout" | "memory" | "disk" | "output_cap" | "not_started"
    exit_code: int | None  # None unless the command itself ended
    stdout: bytes
    stderr: bytes
    wall_s: float
    results: Mapping[str, bytes] = field(default_factory=dict)  # the files asked for that were written and are regular
    invalid: Sequence[str] = ()  # asked-for results that are links, pipes, devices, or too large: never read
    detail: str = ""  # for "not_started": what failed outside


@runtime_checkable
class Sandbox(Protocol):
    """Runs one command on a few files with nothing else of the host in reach."""

    name: ClassVar[str]

    def unavailable(self) -> str:
        """Why it cannot run on this machine and how to get it; empty if a complete trial run worked."""

    def describe(self) -> str:
        """Level and version as stored with every verdict, "bubblewrap 0.8.0"."""

    def run(
        self,
        argv: Sequence[str],
        files: Mapping[str, bytes],
        limits: Limits,
        *,
        results: Sequence[str] = (),
        tools: Mapping[str, str] | None = None,
        start: Start | None = None,
    ) -> Ran:
        """Run `argv` in a writable working folder, where it starts; `files` (relative paths) lie there as copies.

        `tools` opens more of the host read-only: a name -> a path outside; `{name}` in `argv` becomes the path inside.
        `start` has its own time limits; without it the run's count from the beginning. Processor time is counted from
        outside, of processes that ended too, and a run that turns out to have used more than its own ended as
        "timeout" even if its command came to its end.

        `results` are relative paths read back afterwards, each up to `limits.file_bytes`. Nothing of the run is left
        when it returns: no process, no file. Never raises for what the command does; a sandbox that could not start
        the command returns `ended="not_started"`. Raises ValueError for paths that leave the working folder.
        """
