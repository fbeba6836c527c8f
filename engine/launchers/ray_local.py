"""`python -m engine.launchers.ray_local HOME`: a Ray cluster of this machine alone, for trying out.

One head node for a studio's home, reached from this machine only and only with a token of this user's; it is taken over
by every studio and shell of that home, ends IDLE_S seconds after its last job, and with its process (HOME/ray/pid).
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import secrets
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.launchers.local import MARK
from engine.launchers.ray_folder import write_secret
from engine.launchers.ray_jobs import Cluster, NoAnswer
from engine.temporary import TemporaryFolder
from engine.whole_files import write_whole

IDLE_S = 600.0
STARTS_S, ENDS_S, LOOK_S = 90.0, 30.0, 2.0
RECORD, TOKEN, PID, LOG, ALIVE, USED = "cluster.json", "token", "pid", "log.txt", "alive.lock", "start.lock"
LONGEST = 40  # characters of Ray's folder: the paths of its sockets, 62 longer, may have 107
OBJECTS_BYTES = 80 << 20  # of shared memory for objects, of which a run has none
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # Ray's switch for a node whose every port is on the loopback interface
    "RAY_AUTH_MODE": "token",  # others on this machine reach the loopback interface too
}


def start(home: Path) -> None:
    """See to it that the cluster of this home is running. Raises NoAnswer with Ray's words if it does not start."""
    folder = home / "ray"
    folder.mkdir(mode=0o700, exist_ok=True)
    with _locked(folder / USED):
        os.utime(folder / USED)
        if running(home):
            return
        reading, writing = os.pipe()
        try:
            with (folder / LOG).open("wb") as log:
                subprocess.run(
                    [sys.executable, "-P", "-m", "engine.launchers.ray_local", str(home)],
                    env={name: value for name, value in os.environ.items() if name != MARK},  # it is no run's
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    pass_fds=[writing],  # which is closed when the keeper ends
                    check=False,
                )
        finally:
            os.close(writing)
        try:
            _await(home, reading)
        finally:
            os.close(reading)


def _await(home: Path, keeper: int) -> None:
    """Return once the cluster is running. Raises NoAnswer if its keeper has ended, or takes too long."""
    folder, deadline = home / "ray", time.monotonic() + STARTS_S
    while running(home) is None:
        has_ended = bool(select.select([keeper], [], [], 0.2)[0])
        if has_ended or time.monotonic() > deadline:
            if not has_ended:
                os.kill(int((folder / PID).read_text(encoding="ascii")), signal.SIGTERM)
            said = (folder / LOG).read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise NoAnswer(f"Ray does not start on this machine: {said[-1] if said else 'no word'}; see {folder / LOG}")


def running(home: Path) -> Cluster | None:
    """The cluster of this home; None if it has ended."""
    folder = home / "ray"
    try:
        with _locked(folder / ALIVE, fcntl.LOCK_SH | fcntl.LOCK_NB):
            return None  # nobody keeps it
    except FileNotFoundError:
        return None
    except BlockingIOError:
        with suppress(OSError, ValueError):
            found = json.loads((folder / RECORD).read_text(encoding="utf-8"))
            return Cluster(found["address"], (folder / TOKEN).read_text(encoding="utf-8"))
        return None


def main(home: Path) -> int:
    """Keep the cluster in a process without a parent: what kills a run with all that it started leaves it alone."""
    if keeper := os.fork():
        (home / "ray" / PID).write_text(f"{keeper}\n", encoding="ascii")
        return 0
    return keep(home)


def keep(home: Path) -> int:
    """Start the cluster and end it when it is not needed any more; returns the exit code."""
    folder = home / "ray"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    (folder / RECORD).unlink(missing_ok=True)
    with _locked(folder / ALIVE):  # one that is just ending is waited for
        token = secrets.token_hex(32)
        write_secret(folder / TOKEN, token)
        own = TemporaryFolder("ray")
        if len(str(own.path)) > LONGEST:
            own.cleanup()
            own = TemporaryFolder("ray", parent="/tmp")  # noqa: S108
        port = _free()
        cluster = Cluster(f"http://127.0.0.1:{port}", token)
        head = subprocess.Popen(
            _command(port, own.path),
            env={**os.environ, **QUIET, "RAY_AUTH_TOKEN_PATH": str(folder / TOKEN)},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_ended_with_parent,  # no thread has been started here
        )
        try:
            _wait(head, cluster)
            write_whole(folder / RECORD, {"address": cluster.address})
            _watch(head, cluster, folder / USED)
        finally:
            (folder / RECORD).unlink(missing_ok=True)
            _end(head)
            own.cleanup()
    return 0


def _command(port: int, folder: Path) -> list[str]:
    options = {
        "node-ip-address": "127.0.0.1",
        "port": "0",
        "dashboard-host": "127.0.0.1",
        "dashboard-port": str(port),
        "dashboard-agent-listen-port": str(_free()),
        "ray-client-server-port": str(_free()),
        "min-worker-port": "0",
        "max-worker-port": "0",
        "object-store-memory": str(OBJECTS_BYTES),
        "include-log-monitor": "false",
        "temp-dir": str(folder),
    }
    named = [f"--{name}={value}" for name, value in options.items()]
    return [sys.executable, "-P", "-m", "ray.scripts.scripts", "start", "--head", "--block", *named]


def _wait(head: subprocess.Popen[bytes], cluster: Cluster) -> None:
    deadline = time.monotonic() + STARTS_S
    while True:
        try:
            if cluster.nodes():
                return
            why = NoAnswer("its node does not begin")
        except NoAnswer as error:
            why = error
        if head.poll() is not None or time.monotonic() > deadline:
            raise why
        time.sleep(LOOK_S / 4)


def _watch(head: subprocess.Popen[bytes], cluster: Cluster, used: Path) -> None:
    """Return once the head has ended, or no job was active for IDLE_S seconds."""
    last = time.time()
    while head.poll() is None and time.time() - max(last, used.stat().st_mtime) < IDLE_S:
        with suppress(NoAnswer):
            last = time.time() if cluster.active() else last
        time.sleep(LOOK_S)


def _end(head: subprocess.Popen[bytes]) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    head.terminate()  # it ends all that it started
    try:
        head.wait(ENDS_S)
    except subprocess.TimeoutExpired:
        head.kill()
        head.wait()


@contextmanager
def _locked(path: Path, how: int = fcntl.LOCK_EX) -> Iterator[None]:
    """Raises BlockingIOError with LOCK_NB, FileNotFoundError for a file that only the keeper makes."""
    flags = os.O_RDWR | (os.O_CREAT if how & fcntl.LOCK_EX else 0)
    opened = os.open(path, flags | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(opened, how)
        yield
    finally:
        os.close(opened)


def _free() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


def _ended_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)  # PR_SET_PDEATHSIG


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
