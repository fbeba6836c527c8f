"""The strongest sandbox: bubblewrap's own namespaces, where only /usr and a memory-backed working folder exist.

Files come in through bubblewrap (`--file`, from memory) and results go out through a handle on the working folder,
taken while the payload is held back and valid even after every process and mount of the sandbox is gone. So nothing
is written to the host's disk, the kernel enforces the folder's size, and there is nothing to clean up.
"""

from __future__ import annotations

import glob
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import ClassVar, Literal

import psutil

from engine import params
from engine.errors import MissingDependency, SandboxUnavailable
from engine.sandboxes import MIB, Limits, Ran, Start
from engine.sandboxes.box import checked, collect
from engine.sandboxes.bwrap import Bwrap
from engine.sandboxes.identity import payload_uids
from engine.sandboxes.rlimits import rlimits
from engine.sandboxes.seccomp import program
from engine.sandboxes.trial import named, trial
from engine.sandboxes.watch import watch

SYSTEM_PATH = "/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/bin"
SHM_BYTES, TMP_BYTES = 16 * MIB, 64 * MIB
ETC = ("/etc/java-*", "/etc/alternatives", "/etc/ld.so.cache")
NAMESPACES = (
    "--unshare-all --unshare-user --disable-userns --die-with-parent --new-session --cap-drop ALL --clearenv "
    "--setenv PATH /usr/bin:/bin --setenv HOME /w --setenv LANG C.UTF-8 --hostname sandbox --ro-bind /usr /usr"
)
UNBLOCK = (
    "if user namespaces are blocked: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu), or "
    "docker run --security-opt seccomp=unconfined --security-opt systempaths=unconfined"
)


class Bubblewrap:
    """Runs each command under `bwrap`; needs unprivileged user namespaces and, as root, `setpriv`."""

    name: ClassVar[str] = "bubblewrap"

    class Params(params.Params):
        """Nothing to choose."""

        name: Literal["bubblewrap"] = "bubblewrap"

    def __init__(self, params: params.Params) -> None:
        self._uids = payload_uids()

    def unavailable(self) -> str:
        return self._trouble

    def describe(self) -> str:
        return f"bubblewrap {self._version}"

    @cached_property
    def _trouble(self) -> str:
        for tool, package in (("bwrap", "bubblewrap"), ("prlimit", "util-linux"), ("setpriv", "util-linux")):
            if not shutil.which(tool, path=SYSTEM_PATH):
                return f"{tool} is not installed (apt install {package})"
        reason = trial(self)
        return f"{reason}; {UNBLOCK}" if reason else ""

    @cached_property
    def _version(self) -> str:
        said = subprocess.run([_tool("bwrap"), "--version"], capture_output=True, text=True, check=True, timeout=10)
        return said.stdout.split()[-1]

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
        inside = {f"/w/{'/'.join(checked(path))}": content for path, content in files.items()}
        for path in results:
            checked(path)
        with self._bwrap(argv, inside, limits, tools or {}, start) as bwrap:
            if not bwrap.is_ready():
                return Ran("not_started", None, b"", b"", 0.0, detail=bwrap.complaint())
            bwrap.release()
            watched = watch(
                bwrap.process,
                limits,
                leader=bwrap.first,
                is_full=lambda tree: bwrap.is_full(),
                kill=bwrap.kill,
                start=start,
            )
            exit_code = bwrap.exit_code()
            if watched.ended == "exit" and exit_code is None:
                return watched.ran("not_started", detail="bubblewrap left no exit code")
            if watched.oom and exit_code == 128 + signal.SIGKILL:
                return watched.ran("not_started", detail="killed (possibly out of memory)")
            contents, invalid = collect(bwrap.box, results, limits.file_bytes)
            ended = "disk" if watched.ended == "exit" and bwrap.is_full() else watched.ended
            return watched.ran(ended, exit_code, contents, invalid)

    @contextmanager
    def open(
        self, argv: Sequence[str], files: Mapping[str, bytes], limits: Limits, *, tools: Mapping[str, str] | None = None
    ) -> Iterator[OpenBubblewrap]:
        inside = {f"/w/{'/'.join(checked(path))}": content for path, content in files.items()}
        ours, theirs = socket.socketpair()
        with ours, theirs, self._bwrap(argv, inside, limits, tools or {}, None, theirs.fileno()) as bwrap:
            theirs.close()
            if not bwrap.is_ready():
                raise SandboxUnavailable(f"{self.describe()}: {bwrap.complaint()}")
            bwrap.release()
            yield OpenBubblewrap(bwrap, ours)

    def _bwrap(
        self,
        argv: Sequence[str],
        inside: Mapping[str, bytes],
        limits: Limits,
        tools: Mapping[str, str],
        start: Start | None,
        stdin: int = subprocess.DEVNULL,
    ) -> Bwrap:
        bounds = (f"--{name}={value}" for name, value in rlimits(limits, start).items())
        command = ["/usr/bin/prlimit", *bounds, "--", *named(argv, {name: f"/tools/{name}" for name in tools})]
        program = [*_as_payload(next(self._uids)), _tool("bwrap")]
        return Bwrap(program, [*_view(limits, tools)], inside, _filter(), command, stdin)


class OpenBubblewrap:
    """A bwrap that stays, as a `Place`."""

    def __init__(self, bwrap: Bwrap, channel: socket.socket) -> None:
        self._bwrap = bwrap
        self.process, self.leader, self.channel = bwrap.process, bwrap.first, channel

    def is_full(self, tree: list[psutil.Process]) -> bool:
        return self._bwrap.is_full()

    def is_empty(self) -> bool:
        return self._bwrap.is_empty()

    def kill(self) -> None:
        self._bwrap.kill()


def _tool(name: str) -> str:
    path = shutil.which(name, path=SYSTEM_PATH)
    if not path:
        raise MissingDependency(f"{name} is not installed")
    return path


def _as_payload(uid: int | None) -> list[str]:
    if uid is None:
        return []
    return [_tool("setpriv"), "--reuid", str(uid), "--regid", str(uid), "--clear-groups", "--"]


def _view(limits: Limits, tools: Mapping[str, str]) -> Iterator[str]:
    """What the payload sees, as bwrap's arguments, up to the files of the run."""
    yield from NAMESPACES.split()
    for folder in ("/bin", "/sbin", "/lib", "/lib64"):
        if os.path.islink(folder):
            yield from ("--symlink", os.readlink(folder).lstrip("/"), folder)
        else:
            yield from ("--ro-bind-try", folder, folder)
    for path in (path for pattern in ETC for path in glob.glob(pattern)):
        yield from ("--ro-bind-try", path, path)
    for name, outside in tools.items():
        yield from ("--ro-bind", os.path.realpath(outside), f"/tools/{name}")
    yield from ("--proc", "/proc", "--dev", "/dev")
    # Plain --dev leaves /dev and /dev/shm unsized.
    yield from ("--size", str(SHM_BYTES), "--tmpfs", "/dev/shm", "--remount-ro", "/dev")  # noqa: S108 - the sandbox's
    yield from ("--size", str(TMP_BYTES), "--tmpfs", "/tmp")  # noqa: S108 - the sandbox's
    yield from ("--size", str(limits.box_bytes), "--tmpfs", "/w", "--remount-ro", "/", "--chdir", "/w")


def _filter() -> bytes:
    try:
        return program(lends_user=False, on_disk=False)
    except MissingDependency:
        return b""  # an unlisted processor: only the namespaces protect
