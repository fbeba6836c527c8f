"""The sandbox for machines without user namespaces: Landlock, a system call filter, limits, and a sweeping launcher.

Weaker than bubblewrap where the kernel offers no more: the host's process numbers and file names can be guessed at, and
times and sizes of files outside can be asked for. Contents, changes, signals, network and memory of others stay out of
reach. Where the runner is not root, changes of modes, owners and times are ignored, in the working folder too: Landlock
lets a payload make them on every file of its user. A program that a payload compiles there cannot be executed.

The working folder lies on the host's disk, where its size is watched and not enforced. Of 420 payloads that filled it
as fast as they could, alone or 32 at a time, on two busy cores, 413 were stopped within 10 MiB of the limit and the
worst 24 MiB beyond; on another machine 32 at a time got 134 MiB beyond it. Where the runner is root, the watcher runs
before all other processes: of 64 times that 32 wrote at a time, all were stopped within 10 MiB of the limit. What is
not seen at once: writing to a file system that takes the space from its free bytes only later (btrfs, ZFS, NFS; the
folder itself is counted every 50 ms), and deleted files that are kept by a process whose children wrote them and were
not waited for.
"""

from __future__ import annotations

import ctypes
import glob
import os
import platform
import py_compile
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

import psutil

from engine import params
from engine.errors import MissingDependency
from engine.sandboxes import Limits, Ran, Start
from engine.sandboxes.box import checked, collect, fill
from engine.sandboxes.folder import unlinked_bytes, used_bytes
from engine.sandboxes.identity import payload_uids, reachable_parent
from engine.sandboxes.place import untouched
from engine.sandboxes.rlimits import rlimits
from engine.sandboxes.seccomp import program
from engine.sandboxes.trial import named, trial
from engine.sandboxes.watch import PATIENCE_S, end_tree, watch
from engine.temporary import TemporaryFolder

OLDEST_ABI = 6  # the first that keeps signals and abstract sockets in
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc/alternatives", "/etc/ld.so.cache")
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
LAUNCHER = [Path(__file__).with_name(name) for name in ("jail.py", "disk.py")]


class Landlock:
    """Runs each command under `jail.py`; needs Linux 6.12 or later with Landlock switched on."""

    name: ClassVar[str] = "landlock"

    class Params(params.Params):
        """Nothing to choose."""

        name: Literal["landlock"] = "landlock"

    def __init__(self, params: params.Params) -> None:
        self._uids = payload_uids()
        # Compiled once: from its source, the launcher would take a quarter longer to start each time.
        self._folder = TemporaryFolder("launcher")
        for part in LAUNCHER:
            py_compile.compile(str(part), str(self._folder.path / f"{part.stem}.pyc"), doraise=True)
        self._launcher = str(self._folder.path / "jail.pyc")

    def unavailable(self) -> str:
        return self._trouble

    def describe(self) -> str:
        return f"landlock {abi()}"

    @cached_property
    def _trouble(self) -> str:
        if abi() < OLDEST_ABI:
            found = f"Landlock ABI {abi()}" if abi() > 0 else "no Landlock"
            return f"the kernel {platform.release()} has {found}, ABI {OLDEST_ABI} is needed (Linux 6.12, lsm=landlock)"
        try:
            program(lends_user=True, on_disk=True)
        except MissingDependency as missing:
            return str(missing)
        return trial(self)

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
        for path in (*files, *results):
            checked(path)
        with self._jailed(argv, files, limits, tools, start) as jail:
            process, folder = jail.process, jail.folder
            watched = watch(
                process, limits, leader=process.pid, is_full=jail.is_full, kill=lambda: _end(process), start=start
            )
            told = _told(jail.status)
            exit_code = int(told) if told.isdigit() else None
            if watched.ended == "exit" and not told:
                detail = watched.stderr.decode(errors="replace").strip()[:500] or "the launcher left no exit code"
                return watched.ran("not_started", detail=detail)
            if watched.oom and exit_code == 128 + signal.SIGKILL:
                return watched.ran("not_started", detail="killed (possibly out of memory)")
            contents, invalid = collect(jail.box, results, limits.file_bytes)
            is_full = told == "disk" or _is_full(folder, limits, [])
            ended = "disk" if watched.ended == "exit" and is_full else watched.ended
            return watched.ran(ended, exit_code, contents, invalid)

    @contextmanager
    def open(
        self, argv: Sequence[str], files: Mapping[str, bytes], limits: Limits, *, tools: Mapping[str, str] | None = None
    ) -> Iterator[OpenJail]:
        ours, theirs = socket.socketpair()
        with ours, theirs, self._jailed(argv, files, limits, tools, None, theirs.fileno()) as jail:
            theirs.close()
            jail.channel = ours
            try:
                yield jail
            finally:
                jail.kill()

    @contextmanager
    def _jailed(
        self,
        argv: Sequence[str],
        files: Mapping[str, bytes],
        limits: Limits,
        tools: Mapping[str, str] | None,
        start: Start | None,
        stdin: int = subprocess.DEVNULL,
    ) -> Iterator[OpenJail]:
        """The payload in its fence, in a folder that goes afterwards; whoever asked for it ends its process."""
        uid = next(self._uids)
        outside = {name: os.path.realpath(path) for name, path in (tools or {}).items()}
        with ExitStack() as held:
            home = TemporaryFolder("run", reachable_parent(), 0o755)
            held.callback(home.cleanup)
            folder = home.path / "box"
            folder.mkdir(mode=0o700)
            box = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            held.callback(os.close, box)
            fill(box, files, uid)
            if uid is not None:
                os.chown(folder, uid, uid)
            environment = {"PATH": "/usr/bin:/bin", "HOME": folder, "TMPDIR": folder, "LANG": "C.UTF-8"}
            orders: dict[str, Sequence[object]] = {
                "argv": named(argv, outside),
                "box": [folder],
                "device": DEVICES,
                "most": [limits.box_bytes],
                "environment": [f"{name}={value}" for name, value in environment.items()],
                "readable": [*SYSTEM, *glob.glob("/etc/java-*"), *outside.values()],
                "rlimit": [f"{name}={value}" for name, value in _with_room(rlimits(limits, start), uid).items()],
                "runner": [os.getpid()],
                "seccomp": [program(lends_user=uid is None, on_disk=True).hex()],
                "uid": [] if uid is None else [uid],
            }
            jail, status = _start(self._launcher, orders, held, stdin)
            yield OpenJail(jail, folder, box, status, limits)


class OpenJail:
    """A payload in its fence, as a `Place` where it has a channel."""

    channel: socket.socket

    def __init__(self, process: subprocess.Popen[bytes], folder: Path, box: int, status: int, limits: Limits) -> None:
        """`box`: an open handle on `folder`; `status`: where the launcher will tell how the payload ended."""
        self.process, self.leader = process, process.pid
        self.folder, self.box, self.status = folder, box, status
        self._limits = limits

    def is_full(self, tree: list[psutil.Process]) -> bool:
        return _is_full(self.folder, self._limits, tree)

    def is_empty(self) -> bool:
        return untouched([self.box])

    def kill(self) -> None:
        if self.process.returncode is None:
            _end(self.process)
            self.process.wait(PATIENCE_S)


def abi() -> int:
    """The kernel's Landlock version; 0 or less where it has none or it is switched off."""
    libc = ctypes.CDLL(None, use_errno=True)
    return int(libc.syscall(444, None, 0, 1))


def _start(
    launcher: str, orders: Mapping[str, Sequence[object]], held: ExitStack, stdin: int
) -> tuple[subprocess.Popen[bytes], int]:
    """The launcher, and the descriptor on which it will tell how the payload ended."""
    status_out, status_in = os.pipe()
    held.callback(os.close, status_out)
    os.set_blocking(status_out, False)
    with os.fdopen(status_in, "wb"), os.fdopen(os.memfd_create("repair-studio"), "wb+") as given:
        for name, values in {**orders, "status": [status_in]}.items():
            given.write(b"".join(os.fsencode(f"{name}\0{value}\0") for value in values))
        given.seek(0)
        # The base interpreter: the launcher needs nothing of a virtual environment, and may be root where it lies.
        python = getattr(sys, "_base_executable", None) or sys.executable
        jail = subprocess.Popen(
            [python, "-I", "-S", "-B", launcher, str(given.fileno())],
            env={},
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            pass_fds=(given.fileno(), status_in),
        )
    return held.enter_context(jail), status_out


def _told(status: int) -> str:
    """What the launcher said of the end: an exit code, "disk", or nothing."""
    with suppress(BlockingIOError):
        return os.read(status, 16).decode()
    return ""


def _is_full(folder: Path, limits: Limits, tree: list[psutil.Process]) -> bool:
    used = used_bytes(folder, limits.box_bytes)
    return used > limits.box_bytes or used + unlinked_bytes(tree) > limits.box_bytes


def _end(jail: subprocess.Popen[bytes]) -> None:
    """Let the launcher end its whole tree; where it is itself stuck, end all of them from here.

    Leaves it to be waited for: until then the kernel keeps its tree's processor time.
    """
    ending = os.pidfd_open(jail.pid)
    try:
        signal.pidfd_send_signal(ending, signal.SIGTERM)  # no matter to one that has ended
        if not select.select([ending], [], [], PATIENCE_S)[0]:
            end_tree(jail.pid)
            signal.pidfd_send_signal(ending, signal.SIGKILL)
    finally:
        os.close(ending)


def _with_room(bounds: dict[str, int], uid: int | None) -> dict[str, int]:
    """The kernel counts every process of a user; what a lent user already runs must not count against the run."""
    if uid is not None:
        return bounds
    running = 0
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.uids().real == os.getuid():
                running += process.num_threads()
    return {**bounds, "nproc": bounds["nproc"] + running}
