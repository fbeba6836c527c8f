"""One bwrap process, from its start with the payload held back to the death of everything in it."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import Any, Self

from engine.sandboxes.adopt import ADOPTION
from engine.sandboxes.place import untouched
from engine.sandboxes.watch import PATIENCE_S

FOLDERS = ("w", "tmp", "dev/shm")  # all that is writable inside
MOST_FILES = 50_000  # an empty file costs a kilobyte of kernel memory that no size counts


class Bwrap:
    """A started sandbox as a context manager; leaving it kills what is left and frees the folders.

    `first` is the host's pid of its process 1, `box` an open handle on its working folder; both are set once
    `is_ready()` was true.
    """

    first: int
    box: int

    def __init__(
        self,
        program: Sequence[str],
        view: Sequence[str],
        files: Mapping[str, bytes],
        seccomp: bytes,
        command: Sequence[str],
        stdin: int = subprocess.DEVNULL,
    ) -> None:
        """`program`: bwrap and what starts it; `view`: its arguments; `files`: path inside -> content."""
        self._held = ExitStack()
        self._folders: list[int] = []
        self._death = -1  # becomes readable when `first` is dead
        self._records = b""
        self.first = 0
        with ExitStack() as held:
            self._held = held
            held.enter_context(ADOPTION.open())  # bwrap ends as soon as it knows the exit code, before `first` does
            self._start(program, view, files, seccomp, command, stdin)
            self._held = held.pop_all()

    def _start(
        self,
        program: Sequence[str],
        view: Sequence[str],
        files: Mapping[str, bytes],
        seccomp: bytes,
        command: Sequence[str],
        stdin: int,
    ) -> None:
        with ExitStack() as passed:  # the child's ends, closed here once it has them

            def memory(content: bytes) -> str:
                file = passed.enter_context(os.fdopen(os.memfd_create("repair-studio"), "wb+"))
                file.write(content)
                file.seek(0)
                inherited.append(file.fileno())
                return str(file.fileno())

            inherited: list[int] = []
            arguments = list(view)
            for path, content in files.items():
                arguments += ["--perms", "0644", "--file", memory(content), path]
            if seccomp:
                arguments += ["--seccomp", memory(seccomp)]
            listed = memory(b"".join(os.fsencode(argument) + b"\0" for argument in arguments))
            (status_out, status_in), (block_out, block_in) = os.pipe(), os.pipe()
            self._status = self._held.enter_context(os.fdopen(status_out, "rb", buffering=0))
            self._block = self._held.enter_context(os.fdopen(block_in, "wb", buffering=0))
            for theirs in (status_in, block_out):
                inherited.append(theirs)
                passed.callback(os.close, theirs)
            channels = ["--json-status-fd", str(status_in), "--block-fd", str(block_out)]
            self.process = self._held.enter_context(
                subprocess.Popen(
                    [*program, "--args", listed, *channels, "--", *command],
                    env={},  # bwrap's own environment is what /proc/1/environ shows inside
                    stdin=stdin,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    start_new_session=True,
                    pass_fds=inherited,
                )
            )
        os.set_blocking(status_out, False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *trouble: object) -> None:
        with self._held:
            self.kill()
            self._wait_for_first()

    def is_ready(self) -> bool:
        """Wait until the sandbox is set up, before the payload starts; False if it failed, see `complaint`."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and self.process.poll() is None:
            if self._finds_first() and self._takes_folders():
                return True
            time.sleep(0.0005)
        return False

    def _finds_first(self) -> bool:
        if not self.first and (pid := self._record("child-pid")):
            with suppress(ProcessLookupError):
                self._death = self._keep(os.pidfd_open(pid))
                self.first = pid
        return bool(self.first)

    def _takes_folders(self) -> bool:
        with ExitStack() as opened:  # closed again where it is too early, which it may be many times on a busy machine
            try:
                root = os.open(f"/proc/{self.first}/root", os.O_PATH | os.O_DIRECTORY)
                opened.callback(os.close, root)
                # Until its last step bwrap's root is the host's, then one without these folders.
                if os.path.samestat(os.fstat(root), os.stat("/")):
                    return False
                folders = []
                for name in FOLDERS:
                    folders.append(os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=root))
                    opened.callback(os.close, folders[-1])
            except OSError:
                return False
            self._folders = folders
            self._held.push(opened.pop_all())
        self.box = self._folders[0]
        return True

    def _keep(self, handle: int) -> int:
        self._held.callback(os.close, handle)
        return handle

    def release(self) -> None:
        """Let the payload start."""
        with suppress(OSError), open(f"/proc/{self.first}/oom_score_adj", "w") as score:
            score.write("1000")  # when the machine runs out of memory, the payload goes before the studio
        self._block.write(b"\n")
        self._block.close()

    def is_full(self) -> bool:
        """Whether a folder is full, or holds far too many files."""
        states = [os.fstatvfs(folder) for folder in self._folders]
        return any(state.f_bavail == 0 or state.f_files - state.f_ffree > MOST_FILES for state in states)

    def is_empty(self) -> bool:
        """Whether nothing is left in the folders."""
        return untouched(self._folders)

    def kill(self) -> None:
        """End everything; when this returns no process of the sandbox is left."""
        self.process.kill()
        if self._death >= 0:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._death, signal.SIGKILL)
            # Process 1 is only dead when the kernel has ended every other one of its namespace.
            select.select([self._death], [], [], PATIENCE_S)

    def _wait_for_first(self) -> None:
        """Once bwrap is gone, its process 1 is ours; by its handle, for its number may be another child's by now."""
        self.process.wait()
        if self._death >= 0:
            with suppress(ChildProcessError):  # bwrap waited for it
                os.waitid(os.P_PIDFD, self._death, os.WEXITED | os.WNOHANG)

    def exit_code(self) -> int | None:
        """Of the command, 128 + signal where one ended it; None where bwrap never ran it to its end."""
        return self._record("exit-code")

    def complaint(self) -> str:
        """bwrap's message about why it did not start."""
        self.kill()  # before the block is closed, which would let it go on
        _, said = self.process.communicate(timeout=PATIENCE_S)
        return said.decode(errors="replace").strip()[:500] or "bwrap did not come up"

    def _record(self, key: str) -> int | None:
        while piece := self._status.read(4096):  # None where nothing waits
            self._records += piece
        for line in self._records.split(b"\n")[:-1]:
            record: dict[str, Any] = json.loads(line)
            if key in record:
                return int(record[key])
        return None
