"""Runs inside the sandbox and stays: pytest is loaded once, and each job gets a child of its own, forked from here.

`python3 python_server.py TOOLS`, with a socket as standard input. A byte with three descriptors asks for a child. It
finds its job (JSON after its length in sixteen digits) on the first and takes the others for its standard output and
error. This process never reads a job, so no child can find another's in the memory it was forked with; the children
give up the socket before they read theirs. When a child has ended, all that it started is killed, its files are
removed, and a byte answers. Anything unusual ends this process instead: whoever sent the job looks whether all is tidy,
and starts another.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import signal
import socket
import stat
import sys

TYPE_CHECKING = False  # as in `typing`, which is not imported for this
if TYPE_CHECKING:
    from engine.benchmarks.runners import python_harness, python_near
else:
    if __name__ == "__main__":
        sys.path[:0] = [sys.argv[1], os.getcwd()]  # our own programs and pytest: the interpreter adds nothing
    import python_harness
    import python_near

PR_SET_DUMPABLE = 4
LIBC = ctypes.CDLL(None, use_errno=True)
STAGES = ("_pytest.assertion.rewrite", "_pytest.recwarn", "_pytest.skipping", "ast", "dataclasses", "datetime", "json")


def main() -> None:
    """Serve until the other end of the socket is closed."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    preload()
    # Where /proc can be read, its files are what would let a child look into this process; Landlock shows no /proc.
    hide = is_readable("/proc/self/stat")
    if hide:
        LIBC.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    channel = socket.socket(fileno=0)
    folders = [folder for folder in (".", "/tmp", "/dev/shm") if is_writable(folder)]  # noqa: S108 - the sandbox's
    gc.collect()
    gc.freeze()
    while True:
        asked, descriptors, _, _ = socket.recv_fds(channel, 1, 3)
        if not asked or len(descriptors) != 3:
            return
        child = os.fork()
        if child == 0:
            if hide:
                LIBC.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
            channel.close()
            work(*descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        os.waitpid(child, 0)
        end_the_rest()
        for folder in folders:
            empty(folder)
        channel.send(b".")


def work(job: int, output: int, log: int) -> None:
    """In the child: read the job, run it, and never return."""
    code = 1
    try:
        for place, descriptor in enumerate((job, output, log)):
            os.dup2(descriptor, place)
        os.closerange(3, 64)
        told = json.loads(read(0, int(read(0, 16))))
        nothing = os.open(os.devnull, os.O_RDONLY)
        answers = os.dup(0)
        os.dup2(nothing, 0)
        os.close(nothing)
        channel = os.dup(1)
        os.dup2(2, 1)
        for path, content in told.pop("files").items():
            if folder := os.path.dirname(path):
                os.makedirs(folder, exist_ok=True)
            with open(path, "wb") as file:
                file.write(content.encode("latin-1"))
        nonce = told.pop("nonce")
        tell = python_harness.teller(nonce, channel)
        if told["is_remote"]:

            def ask(question: bytes) -> None:
                while question:
                    question = question[os.write(channel, question) :]

            python_near.install(told["target"], answers, lambda line: ask(f"{nonce} ask ".encode() + line))
        else:
            os.close(answers)
        python_harness.judge(told["target"] if not told["is_remote"] else "", told["tests"], tell)
        sys.stdout.flush()
        sys.stderr.flush()
        code = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


def read(descriptor: int, size: int) -> bytes:
    """So many bytes and not one more, for what follows is not the job's."""
    pieces = b""
    while len(pieces) < size and (piece := os.read(descriptor, size - len(pieces))):
        pieces += piece
    return pieces


def preload() -> None:
    """All that a run of pytest imports, by a run of it on nothing."""
    import importlib

    from _pytest.config import default_plugins

    for name in default_plugins:
        if name not in python_harness.BLOCKED:
            importlib.import_module(f"_pytest.{name}")
    for name in STAGES:
        importlib.import_module(name)


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
