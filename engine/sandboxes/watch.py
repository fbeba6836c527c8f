"""The loop around every sandbox: reads the output, and kills the tree at a limit of time, memory, disk or output."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import psutil

from engine.sandboxes import Limits, Ran, Start
from engine.sandboxes.meter import Meter, is_running

TICK_S = 0.05  # between two looks at processor time, memory and disk
PATIENCE_S = 5.0  # for a killed tree to be gone
# Times its limit by the clock, after which even what runs is ended: it may hide what it uses. Of a second at least, or
# a busy machine could keep it waiting so long.
OVERTIME = 10
HAS_LISTS = os.path.exists(f"/proc/self/task/{os.getpid()}/children")  # a kernel can be built without them


@dataclass(frozen=True)
class Watched:
    """What the watcher saw; `ended` as in `Ran`, without "not_started"."""

    ended: str
    stdout: bytes
    stderr: bytes
    wall_s: float
    oom: bool  # the kernel's out-of-memory killer struck somewhere on the machine meanwhile

    def ran(
        self,
        ended: str,
        exit_code: int | None = None,
        results: Mapping[str, bytes] = MappingProxyType({}),
        invalid: Sequence[str] = (),
        detail: str = "",
    ) -> Ran:
        """The sandbox's answer; the exit code counts only where the command ended by itself."""
        code = exit_code if ended == "exit" else None
        return Ran(ended, code, self.stdout, self.stderr, self.wall_s, results, invalid, detail)


class Allowance:
    """The time that the present part of a run has, and where it began."""

    def __init__(self, limits: Limits | Start, began: float, cpu_before_s: float = 0.0) -> None:
        """`began`: monotonic seconds; `cpu_before_s`: processor time that was used by then."""
        self.deadline = began + limits.wall_s
        self._last = began + OVERTIME * max(1.0, limits.wall_s)
        self._cpu_s = limits.cpu_s
        self._cpu_before_s = cpu_before_s
        self._looks_asleep = 0  # in a row

    def is_spent(self, meter: Meter, tree: Sequence[psutil.Process]) -> bool:
        """Whether more processor time was used than there is."""
        return self._cpu_s is not None and meter.used(tree) - self._cpu_before_s > self._cpu_s

    def is_over(
        self, meter: Meter, tree: Sequence[psutil.Process], is_answered: Callable[[], bool] = lambda: False
    ) -> bool:
        """Whether the run must end. With a limit on processor time the clock first ends only what sleeps.

        What waits for somebody who works on its answer does not sleep: `is_answered`.

        Asleep is what was so at two looks in a row: not all processes are seen in one instant, and between two of them
        one may have ended and woken the other.
        """
        if self.is_spent(meter, tree):
            return True
        now = time.monotonic()
        if now < self.deadline:
            return False
        self._looks_asleep = 0 if is_running(tree) or is_answered() else self._looks_asleep + 1
        return self._cpu_s is None or self._looks_asleep > 1 or now >= self._last


def watch(
    process: subprocess.Popen[bytes],
    limits: Limits,
    *,
    leader: int,
    is_full: Callable[[list[psutil.Process]], bool],
    kill: Callable[[], None],
    start: Start | None = None,
) -> Watched:
    """Wait for `process`, whose stdout and stderr are pipes, within `limits`; `kill` must end the whole tree.

    Memory is the resident sets of `leader`'s descendants added up, so shared pages count in each. Reads until the
    process ends and not until the pipes do: a leftover child may hold them open. The process is reaped on return.
    """
    assert process.stdout is not None
    assert process.stderr is not None
    began = time.monotonic()
    allowance = Allowance(start or limits, began)
    meter = Meter(leader)
    oom_kills = _oom_kills()
    streams = {process.stdout.fileno(): bytearray(), process.stderr.fileno(): bytearray()}
    said = streams[process.stdout.fileno()]
    ended = ""
    ending = os.pidfd_open(process.pid)
    try:
        with selectors.DefaultSelector() as selector:
            for stream in streams:
                os.set_blocking(stream, False)
                selector.register(stream, selectors.EVENT_READ)
            selector.register(ending, selectors.EVENT_READ)
            tick = began + TICK_S
            while not ended:
                now = time.monotonic()
                wake = min(tick, allowance.deadline) if now < allowance.deadline else tick
                ready = {key.fd for key, _ in selector.select(max(0.0, wake - now))}
                for stream in ready & streams.keys():
                    if not _read(stream, streams[stream], limits.output_bytes):
                        selector.unregister(stream)
                if start and start.line in said.splitlines():
                    allowance, start = Allowance(limits, time.monotonic(), meter.used(descendants(leader))), None
                if any(len(kept) > limits.output_bytes for kept in streams.values()):
                    ended = "output_cap"
                elif ending in ready:
                    ended = "exit"
                elif (now := time.monotonic()) >= wake:
                    ended = _excess(descendants(leader), limits, allowance, meter, is_full)
                    looked = time.monotonic() - now  # grows with the number of processes on the machine
                    tick = now + looked + max(TICK_S, 4 * looked)
    finally:
        os.close(ending)
        wall_s = time.monotonic() - began
        kill()
        is_late = allowance.is_spent(meter, ())  # all is dead, and nobody has waited for the leader yet
        process.wait(PATIENCE_S)
    if ended == "exit" and is_late:
        ended = "timeout"
    for stream, kept in streams.items():
        while len(kept) <= limits.output_bytes and _read(stream, kept, limits.output_bytes):
            pass
    stdout, stderr = (bytes(kept[: limits.output_bytes]) for kept in streams.values())
    is_over = any(len(kept) > limits.output_bytes for kept in streams.values())
    return Watched("output_cap" if is_over else ended, stdout, stderr, wall_s, _oom_kills() > oom_kills)


def _read(stream: int, kept: bytearray, most: int) -> bool:
    """Take what is there, at most one byte over the cap; False at the end or where nothing waits."""
    try:
        piece = os.read(stream, 1 << 16)
    except BlockingIOError:
        return False
    kept += piece[: most + 1 - len(kept)]
    return bool(piece)


def _excess(
    tree: list[psutil.Process],
    limits: Limits,
    allowance: Allowance,
    meter: Meter,
    is_full: Callable[[list[psutil.Process]], bool],
) -> str:
    if allowance.is_over(meter, tree):
        return "timeout"
    if resident(tree) > limits.memory_bytes:
        return "memory"
    return "disk" if is_full(tree) else ""


def descendants(pid: int) -> list[psutil.Process]:
    """The living tree below `pid`, without itself, parents before their children.

    By the kernel's lists of children, which may leave one out while its sister ends; a look at every process of the
    machine, ten milliseconds of it, only where there are no such lists.
    """
    if not HAS_LISTS:
        return _all_below(pid)
    found: list[psutil.Process] = []
    waiting = [pid]
    while waiting:
        parent = waiting.pop()
        try:
            children = _children(parent)
        except OSError:
            continue  # it ended meanwhile
        waiting += children
        for child in children:
            with suppress(psutil.Error):
                found.append(psutil.Process(child))
    return found


def _children(pid: int) -> list[int]:
    folder = f"/proc/{pid}/task"
    children: list[int] = []
    for thread in os.listdir(folder):
        with suppress(OSError), open(f"{folder}/{thread}/children", "rb") as file:
            children += map(int, file.read().split())
    return children


def _all_below(pid: int) -> list[psutil.Process]:
    try:
        return list(psutil.Process(pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def end_tree(pid: int) -> None:
    """Kill all below `pid`, stopping it first: a killed one would leave its place to a fork bomb's next child."""
    stopped: set[psutil.Process] = set()
    while new := set(_all_below(pid)) - stopped:
        for process in new:
            with suppress(psutil.Error):
                process.suspend()
        stopped |= new
    for process in stopped:
        with suppress(psutil.Error):
            process.kill()


def resident(tree: list[psutil.Process]) -> int:
    """Bytes of memory that these processes hold, pages shared by several counted for each."""
    total = 0
    for process in tree:
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue  # it ended meanwhile
    return total


def _oom_kills() -> int:
    try:
        lines = Path("/proc/vmstat").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
