"""Runs inside the sandbox and stays: pytest is made ready once, and each job gets a child of its own, forked from here.

`python3 python_server.py TOOLS`, with a socket as standard input. A byte with three descriptors asks for a child. It
finds its job (JSON after its length in sixteen digits) on the first and takes the others for its standard output and
error. This process never reads a job, so no child can find another's in the memory it was forked with; the children
give up the socket before they read theirs. When a child has ended, all that it started is killed, its files are
removed, and a byte answers. Anything unusual ends this process instead: whoever sent the job looks whether all is tidy,
and starts another.

A child that has no patched code also tells the tests as pytest has rewritten and compiled them, a quarter of the work
on a patch: children with patched code are given that file. pytest uses it only where the tests are the same.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import io
import json
import os
import signal
import socket
import stat
import sys
import traceback

TYPE_CHECKING = False  # as in `typing`, which is not imported for this
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    import pytest
    from _pytest.assertion.rewrite import PYC_TAIL

    from engine.benchmarks.runners import python_harness, python_near
else:
    if __name__ == "__main__":
        sys.path[:0] = [sys.argv[1], os.getcwd()]  # our own programs and pytest: the interpreter adds nothing
    import pytest
    import python_harness
    import python_near
    from _pytest.assertion.rewrite import PYC_TAIL

PR_SET_DUMPABLE = 4
SHARED = ("/tmp", "/dev/shm")  # noqa: S108 - the sandbox's own, which are empty
LIBC = ctypes.CDLL(None, use_errno=True)
WARM_UP = """import dataclasses
import datetime

import pytest


@pytest.fixture
def two():
    return [1, 2]


@pytest.mark.parametrize("number", [1, 2])
def test_passes(two, number):
    assert number in two and two == [1, 2]


@pytest.mark.parametrize("value", [1, "text", [1, 2], {"a": 1}])
def test_fails(value):
    assert value == type(value)()


def test_raises():
    with pytest.raises(ValueError):
        int("text")
    raise ValueError
"""


def main() -> None:
    """Serve until the other end of the socket is closed. Only children come to the end of their run of pytest."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    sys.argv[:] = ["pytest"]
    os.closerange(3, 64)
    warm_up("test_warm_up")
    server = Server(socket.socket(fileno=os.dup(0)))  # pytest takes standard input away
    code = 1
    try:
        pytest.main(python_harness.options("."), plugins=[server, server.reporter])
        if server.compiled is not None:
            python_harness.end(server.compiled, server.reporter.tell)
            if server.rewritten:
                tell_file(server.rewritten, server.reporter.tell)
            sys.stdout.flush()
            sys.stderr.flush()
            code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def warm_up(name: str) -> None:
    """Run tests of our own, so that each child finds imported, cached and specialised what pytest needs for them."""
    with open(f"{name}.py", "w") as file:
        file.write(WARM_UP)
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main(python_harness.options(file.name))
    os.unlink(file.name)
    del sys.modules[name]


class Server:
    """A plugin of pytest: serves where a run has all but its tests, so that each child goes on from there."""

    def __init__(self, channel: socket.socket) -> None:
        self.reporter = python_harness.Reporter(lambda *words: None)
        self.compiled: float | None = None  # when, in a child
        self.rewritten = ""  # in a child without patched code: where pytest keeps the tests as it has rewritten them
        self._channel = channel
        # Where /proc can be read, its files are what would let a child look into this process; Landlock shows no /proc.
        self._hides = is_readable("/proc/self/stat")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Returns in children only."""
        self._begin(session, forked(self._channel, self._hides))

    def _begin(self, session: pytest.Session, descriptors: list[int]) -> None:
        """In the child: read the job and go on with its tests, or end where there is nothing to test."""
        try:
            if self._hides:
                LIBC.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
            capture = session.config.pluginmanager.get_plugin("capturemanager")
            assert capture is not None
            capture.stop_global_capturing()  # gives the socket back as standard input
            take(self._channel, descriptors)
            target, session.config.args[:] = self._job()
            capture.start_global_capturing()
            capture.suspend_global_capture()
            importlib.invalidate_caches()  # files may be as old as what was seen last of their folder
            self.compiled = python_harness.begin(target, self.reporter.tell)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        if self.compiled is None:
            sys.stderr.flush()
            os._exit(0)

    def _job(self) -> tuple[str, list[str]]:
        """Read it and write its files: the file to be compiled, empty if it lies elsewhere, and that of the tests."""
        told, channel, answers = job()
        write(told.pop("files"))
        nonce = told.pop("nonce")
        self.reporter.tell = python_harness.teller(nonce, channel)
        if not told["is_remote"]:
            os.close(answers)
            return told["target"], [told["tests"]]

        def ask(question: bytes) -> None:
            while question:
                question = question[os.write(channel, question) :]

        python_near.install(told["target"], answers, lambda line: ask(f"{nonce} ask ".encode() + line))
        folder, name = os.path.split(told["tests"])
        self.rewritten = os.path.join(folder, "__pycache__", name.removesuffix(".py") + PYC_TAIL)
        sys.dont_write_bytecode = False
        return "", [told["tests"]]


def tell_file(path: str, tell: Callable[..., None]) -> None:
    """Tell what is in a file, if there is one."""
    with contextlib.suppress(OSError), open(path, "rb") as file:
        tell("rewritten", path, file.read().hex())


def forked(channel: socket.socket, hides: bool) -> list[int]:
    """Serve jobs one after the other; returns in each child, with its descriptors. `hides`: see `Server`."""
    if hides:
        LIBC.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    shared = [folder for folder in SHARED if is_writable(folder)]
    if filled := [folder for folder in shared if os.listdir(folder)]:
        raise RuntimeError(f"this removes all files in {' and '.join(filled)} after each job; run it in a sandbox only")
    folders = [".", *shared]
    gc.collect()
    gc.freeze()
    while True:
        asked, descriptors, _, _ = socket.recv_fds(channel, 1, 3)
        if not asked or len(descriptors) != 3:
            os._exit(0)
        child = os.fork()
        if child == 0:
            return descriptors
        for descriptor in descriptors:
            os.close(descriptor)
        os.waitpid(child, 0)
        end_the_rest()
        for folder in folders:
            empty(folder)
        channel.send(b".")


def take(channel: socket.socket, descriptors: list[int]) -> None:
    """In the child: give the socket up, and make its own descriptors standard input, output and error."""
    channel.close()
    for place, descriptor in enumerate(descriptors):
        os.dup2(descriptor, place)
        os.close(descriptor)


def job() -> tuple[dict[str, Any], int, int]:
    """In the child: what it is told to do, where it reports, and where answers to what it asks come from."""
    told = json.loads(read(0, int(read(0, 16))))
    nothing = os.open(os.devnull, os.O_RDONLY)
    answers = os.dup(0)
    os.dup2(nothing, 0)
    os.close(nothing)
    channel = os.dup(1)
    os.dup2(2, 1)
    return told, channel, answers


def write(files: dict[str, str]) -> None:
    """Write the files of a job, whose bytes are told as latin-1."""
    for path, content in files.items():
        if folder := os.path.dirname(path):
            os.makedirs(folder, exist_ok=True)
        with open(path, "wb") as file:
            file.write(content.encode("latin-1"))


def read(descriptor: int, size: int) -> bytes:
    """So many bytes and not one more, for what follows is not the job's."""
    pieces = b""
    while len(pieces) < size and (piece := os.read(descriptor, size - len(pieces))):
        pieces += piece
    return pieces


def end_the_rest() -> None:
    """Kill whatever the child left running; in one call, so that no fork escapes it."""
    while True:
        try:
            os.kill(-1, signal.SIGKILL)
            os.waitpid(-1, 0)
        except (ProcessLookupError, PermissionError, ChildProcessError):
            return


def empty(folder: str) -> None:
    """Remove all that is in a folder. Raises OSError where something resists."""
    with os.scandir(folder) as entries:
        found = [(entry.path, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for path, is_folder in found:
        if is_folder:
            os.chmod(path, stat.S_IRWXU)
            empty(path)
            os.rmdir(path)
        else:
            os.unlink(path)


def is_readable(path: str) -> bool:
    """Whether it can be opened; Landlock is not asked by access(2)."""
    try:
        with open(path, "rb"):
            return True
    except OSError:
        return False


def is_writable(folder: str) -> bool:
    """Whether a file can be made there."""
    path = os.path.join(folder, "trial")
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        os.unlink(path)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
