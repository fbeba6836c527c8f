"""Another machine with the studio installed, reached by this system's own `ssh` and `rsync`."""

from __future__ import annotations

import json
import shlex
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.errors import OutsideFailure, UserError
from engine.launchers.carried import Item
from engine.launchers.remote import BY_ITSELF, MARK

FIELD = "launcher"
# Nothing of this machine is lent to the other one, nobody is asked for a password, and a dead link is noticed in 15 s
OPTIONS = (
    "-T", "-a", "-x", "-o", "BatchMode=yes", "-o", "ForwardAgent=no", "-o", "ForwardX11=no",
    "-o", "ClearAllForwardings=yes", "-o", "PermitLocalCommand=no", "-o", "ConnectTimeout=10",
    "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3",
)  # fmt: skip
PROGRAM = "engine.launchers.remote"
ANSWER_S = 60.0  # for an answer of a few MiB
HASHED_S = 3600.0  # for one after which contents are hashed
CARRIED_S = 24 * 3600.0
SILENT_S = "60"  # of rsync, without a byte
BY_SIGNAL = 128  # added by a shell to the number of the signal that killed a program
LOOK_S = 0.5  # between two questions whether what is carried is still wanted
SSH_FAILED = 255  # the exit code of ssh where it is the link that failed
# Exit codes of rsync (man 1 rsync): of the link; of files that were removed while it looked
CUT, VANISHED = (SSH_FAILED, 10, 12, 30, 35), 24
REFUSED = ("Permission denied", "Host key verification failed", "Could not resolve hostname", "Bad configuration",
           "Bad owner or permissions", "no matching", "Can't open user config file")  # fmt: skip


class Unreachable(ConnectionError):
    """The machine cannot be reached just now; `is_final` where waiting will not help."""

    def __init__(self, host: str, why: str) -> None:
        super().__init__(f"{host} cannot be reached: {why or 'the connection was closed'}")
        self.is_final = any(each in why for each in REFUSED)


class Unwanted(OutsideFailure):
    """What was asked of another machine, or carried there, is not wanted any more."""


@dataclass(frozen=True)
class Host:
    """`name` as in ssh's configuration; `python`: the interpreter there that has the studio.

    `config`: the file of ssh's configuration; empty: the user's. `is_unwanted`: asked while something takes long.
    """

    name: str
    python: str
    config: str = ""
    is_unwanted: Callable[[], bool] | None = None

    def until(self, is_unwanted: Callable[[], bool]) -> Host:
        """The same, whose calls raise Unwanted as soon as `is_unwanted()`; what was carried by then stays there."""
        return replace(self, is_unwanted=is_unwanted)

    @property
    def _ssh(self) -> list[str]:
        return ["ssh", *(["-F", self.config] if self.config else []), *OPTIONS]

    def ask(self, verb: str, *, wait_s: float = ANSWER_S, **request: Any) -> tuple[dict[str, Any], list[bytes]]:
        """What `engine.launchers.remote` answers there. Raises Unreachable, UserError, and OutsideFailure."""
        program = f"{shlex.quote(self.python)} -P -m {PROGRAM}"  # ssh gives a shell one line; nothing else is in it
        told = json.dumps({"verb": verb, **request}).encode()
        done = self._run([*self._ssh, "--", self.name, program], wait_s, told)
        _, mark, answer = done.stdout.partition(b"\n" + MARK)
        if not mark and _was_cut(done.returncode):
            raise Unreachable(self.name, _last_line(done.stderr))
        if not mark:
            raise UserError(
                f"launcher.python: {self.python!r} on {self.name} has no Repair Studio of this version "
                f"({_last_line(done.stderr) or f'exit code {done.returncode}'}); install it there, or name the Python "
                "that has it",
                field=FIELD,
            )
        line, _, rest = answer.partition(b"\n")
        try:
            values = json.loads(line)
        except ValueError:
            raise Unreachable(self.name, "the answer was cut off") from None
        sizes = values.pop("sizes", [])
        if len(rest) != sum(sizes):
            raise Unreachable(self.name, "the answer was cut off")
        if "error" in values:
            kind = UserError if values["is_users"] else OutsideFailure
            raise kind(f"{self.name}: {values['error']}")
        parts = []
        for size in sizes:
            parts.append(rest[:size])
            rest = rest[size:]
        return values, parts

    def carry(self, item: Item, into: str) -> None:
        """Copy the parts of an item into a folder there. Raises as `ask`."""
        links = "--copy-links" if item.follows else "--links"
        parts = [f"{item.root}/./{part}" for part in item.parts]
        self._rsync(["--relative", "--partial", links, "--", *parts, f"{self.name}:{into}/"])

    def fill(self, folder: Path, there: str, excluded: Iterable[str]) -> None:
        """Copy a run's folder to its empty place there, with its events and its log. Raises as `ask`."""
        own = [name for name in BY_ITSELF if name not in ("events.jsonl", "log.txt")] + [*excluded]
        self._rsync([*_excluded(own), "--links", "--ignore-existing", "--", f"{folder}/", f"{self.name}:{there}/"])

    def fetch(self, there: str, folder: Path, excluded: Iterable[str]) -> None:
        """Copy what is new in a run's folder there; what was removed from its folders is removed here too.

        Only files that are not in `BY_ITSELF` or `excluded`. Raises as `ask`, OSError where a file cannot be copied.
        """
        kept = ["--delete-delay", "--filter=P /*"]  # nothing in the run's folder itself
        left_out = _excluded([*BY_ITSELF, *excluded])
        self._rsync(
            [*left_out, *kept, "--sparse", "--links", "--safe-links", "--", f"{self.name}:{there}/", f"{folder}/"]
        )

    def _rsync(self, arguments: Sequence[str]) -> None:
        how = [
            "--recursive",
            "--times",
            "--perms",
            "--secluded-args",
            f"--timeout={SILENT_S}",
            "-e",
            " ".join(self._ssh),
        ]
        done = self._run(["rsync", *how, *arguments], CARRIED_S)
        if done.returncode in CUT or done.returncode < 0:
            raise Unreachable(self.name, _last_line(done.stderr))
        if done.returncode not in (0, VANISHED):
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise OSError(f"rsync with {self.name} failed: {said[0] if said else done.returncode}")

    def _run(self, argv: Sequence[str], wait_s: float, told: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        deadline, pipe = time.monotonic() + wait_s, subprocess.PIPE
        try:
            with subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe) as process:
                try:
                    return self._ended(process, told, deadline)
                except BaseException:
                    process.kill()
                    raise
        except subprocess.TimeoutExpired:
            raise Unreachable(self.name, f"no answer within {wait_s:.0f} s") from None
        except FileNotFoundError:
            raise UserError(f"{argv[0]} is not installed here; on Debian or Ubuntu: apt install openssh-client rsync",
                            field=FIELD) from None  # fmt: skip

    def _ended(
        self, process: subprocess.Popen[bytes], told: bytes | None, deadline: float
    ) -> subprocess.CompletedProcess[bytes]:
        """Raises Unwanted, and TimeoutExpired after the deadline."""
        while True:
            left_s = deadline - time.monotonic()
            try:
                out, error = process.communicate(
                    told, timeout=left_s if self.is_unwanted is None else min(left_s, LOOK_S)
                )
                return subprocess.CompletedProcess(process.args, process.returncode, out, error)
            except subprocess.TimeoutExpired:
                if left_s <= LOOK_S:
                    raise
                told = None  # it has been begun to be sent
                if self.is_unwanted is not None and self.is_unwanted():
                    raise Unwanted(f"it was stopped while {self.name} was given what it needs") from None


def _was_cut(code: int) -> bool:
    """Whether an exit code of ssh is of a cut link, or of a program that was killed, here (below 0) or there."""
    return code < 0 or code > BY_SIGNAL


def _excluded(names: Iterable[str]) -> list[str]:
    return [f"--exclude=/{name}" for name in names] + ["--exclude=*.tmp"]


def _last_line(said: bytes) -> str:
    lines = said.decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:300] if lines else ""
