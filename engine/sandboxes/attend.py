"""Jobs in open sandboxes: reads what they say, passes words between two of them, and notices what runs out."""

from __future__ import annotations

import os
import selectors
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import psutil

from engine.sandboxes import MIB, Limits, Ran, Start
from engine.sandboxes.meter import Meter, is_running
from engine.sandboxes.place import Place
from engine.sandboxes.watch import TICK_S, Allowance, descendants, resident

LONGEST_LINE = 16 * MIB  # of what one job says to another


class Job:
    """What an open sandbox does for one patch, and what of its limits is left.

    `hear` is given each whole line of standard output without its end; one that it takes (returns True) is not kept.
    """

    def __init__(
        self,
        place: Place,
        limits: Limits,
        *,
        start: Start | None = None,
        hear: Callable[[bytes], bool] = lambda line: False,
        streams: tuple[int, int, int] | None = None,
        ends_on_channel: bool = False,
    ) -> None:
        """`streams`: our ends of its standard input, output and error where they are not the place's own.

        `ends_on_channel`: it has ended when something, or the end, is to be read from the place's channel.
        """
        assert place.process.stdout is not None
        assert place.process.stderr is not None
        own = (place.channel.fileno(), place.process.stdout.fileno(), place.process.stderr.fileno())
        self.place, self.limits, self.hear, self.start = place, limits, hear, start
        self.stdin, self.stdout, self.stderr = streams or own
        self.ends_on_channel = ends_on_channel
        self.began = time.monotonic()
        self.is_over = False
        self.at_death: Callable[[], None] | None = None  # called instead of ending all when its place has ended
        self.output, self.log = bytearray(), bytearray()
        self.outgoing = bytearray()
        self._line = bytearray()
        self._meter = Meter(place.leader)
        used_s = self._meter.used(descendants(place.leader))
        self._allowance = Allowance(start or limits, self.began, used_s)

    def read(self, stream: int) -> bool:
        """Take what waits on one of its outputs; False at the end of it."""
        try:
            piece = os.read(stream, 1 << 16)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if stream == self.stderr:
            self.log += piece[: self.limits.output_bytes + 1 - len(self.log)]
        else:
            self._line += piece
            *lines, rest = self._line.split(b"\n")
            self._line = bytearray(rest)
            for line in lines:
                self._take(bytes(line))
        return bool(piece)

    def _take(self, line: bytes) -> None:
        if self.start and line == self.start.line:
            tree = descendants(self.place.leader)
            self._allowance, self.start = Allowance(self.limits, time.monotonic(), self._meter.used(tree)), None
        if not self.hear(line):
            self.output += line[: self.limits.output_bytes + 1 - len(self.output)] + b"\n"

    def write(self) -> None:
        """Hand over as much of `outgoing` as is taken now."""
        with suppress(BlockingIOError):
            try:
                del self.outgoing[: os.write(self.stdin, self.outgoing[: 1 << 16])]
            except (BrokenPipeError, ConnectionResetError):
                self.outgoing.clear()

    def is_too_loud(self) -> bool:
        most = self.limits.output_bytes
        return len(self.output) > most or len(self.log) > most or len(self._line) > LONGEST_LINE

    def excess(self, others: Sequence[Job]) -> str:
        """What has run out: "timeout", "memory", "disk", or nothing. Of two jobs that talk one waits for the other."""
        tree: list[psutil.Process] = descendants(self.place.leader)
        if self._allowance.is_over(self._meter, tree, lambda: any(job.is_at_work() for job in others)):
            return "timeout"
        if resident(tree) > self.limits.memory_bytes:
            return "memory"
        return "disk" if self.place.is_full(tree) else ""

    def is_at_work(self) -> bool:
        """Whether it runs, or has not yet been told all that is to be told."""
        return bool(self.outgoing) or is_running(descendants(self.place.leader))

    def ran(self, ended: str) -> Ran:
        """What it left behind, as a fresh run would say it."""
        most = self.limits.output_bytes
        wall_s = time.monotonic() - self.began
        return Ran(ended, None, bytes(self.output[:most]), bytes(self.log[:most]), wall_s)

    def is_late(self) -> bool:
        """Whether it used more processor time than it has, looked at once more when it has ended."""
        return self._allowance.is_spent(self._meter, descendants(self.place.leader))


def attend(first: Job, *others: Job) -> tuple[str, Job]:
    """Until the first job is over, or one of them has used up what it may; how that ended and whose doing it was.

    "exit", "timeout", "memory", "disk", "output_cap", or "died" for a place that ended under its job. Kills nothing.
    """
    jobs = (first, *others)
    with selectors.DefaultSelector() as selector:
        handles: list[int] = []
        try:
            for job in jobs:
                for stream in {job.stdin, job.stdout, job.stderr}:
                    os.set_blocking(stream, False)
                for stream in (job.stdout, job.stderr):
                    selector.register(stream, selectors.EVENT_READ, job)
                if job.ends_on_channel:
                    selector.register(job.place.channel, selectors.EVENT_READ, (job, "ended"))
                handles.append(os.pidfd_open(job.place.process.pid))
                selector.register(handles[-1], selectors.EVENT_READ, (job, "died"))
            return _attended(selector, jobs)
        except ProcessLookupError:
            return "died", first
        finally:
            for handle in handles:
                os.close(handle)


def _attended(selector: selectors.BaseSelector, jobs: tuple[Job, ...]) -> tuple[str, Job]:
    first, tick = jobs[0], time.monotonic() + TICK_S
    while True:
        dead: Job | None = None
        waiting = [job for job in jobs if job.outgoing]
        for job in waiting:
            job.write()
        pause_s = 0.001 if any(job.outgoing for job in waiting) else max(0.0, tick - time.monotonic())
        for key, _ in selector.select(pause_s):
            if isinstance(key.data, Job):
                if not key.data.read(key.fd):
                    selector.unregister(key.fd)
                continue
            job, what = key.data
            if what == "died" and job.at_death:
                selector.unregister(key.fd)
                _drain(job)
                job.at_death()
            elif what == "died":
                dead = job
            job.is_over = job.is_over or what == "ended"
        if first.is_over or dead:
            for job in jobs:
                _drain(job)
            loud = next((job for job in jobs if job.is_too_loud()), None)
            if loud:
                return "output_cap", loud
            if first.is_over:
                return ("timeout" if first.is_late() else "exit"), first
            assert dead
            return ("timeout" if dead.is_late() else "died"), dead
        for job in jobs:
            if job.is_too_loud():
                return "output_cap", job
        if (now := time.monotonic()) >= tick:
            for job in jobs:
                if why := job.excess([other for other in jobs if other is not job]):
                    return why, job
            looked = time.monotonic() - now
            tick = now + looked + max(TICK_S, 4 * looked)


def _drain(job: Job) -> None:
    for stream in (job.stdout, job.stderr):
        while not job.is_too_loud() and _waits(stream) and job.read(stream):
            pass


def _waits(stream: int) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        return bool(selector.select(0))
