"""One job for a JVM that stays (`Server.java`): how it is asked, what it makes, and when it is over."""

from __future__ import annotations

import base64
import secrets
import struct
from collections.abc import Mapping

from engine.benchmarks.runners.places import Lent
from engine.benchmarks.runners.report import PATIENCE, START_S, Report, read_report, until
from engine.sandboxes import Limits, Start
from engine.sandboxes.attend import Job, attend

STARTED = Start(b"ready", wall_s=PATIENCE * START_S, cpu_s=START_S)  # of a JVM for the patched class alone


class ServerJob:
    """Asked as soon as it is made; `report` waits for its end."""

    def __init__(self, lent: Lent, limits: Limits, verb: str, name: str, files: Mapping[str, bytes]) -> None:
        """`verb` and `name` as `Server.java` has them."""
        self.made: dict[str, bytes] = {}
        self._lent = lent
        self._nonce = secrets.token_hex(16)
        self._told: list[bytes] = []
        self._patched: Job | None = None
        self._job = Job(lent.place, limits, start=until(self._nonce, "compiled"), hear=self._hear)
        parts = [word.encode() for word in (verb, self._nonce, name)]
        for path in sources(files):
            parts += [path.encode(), files[path]]
        self._say(struct.pack(">i", len(parts)) + b"".join(map(_sized, parts)))

    def report(self, *others: Job) -> Report:
        """Wait; the place is kept where only classes ran in it that can change nothing there."""
        ended, whose = attend(self._job, *others)
        # "impure" is said first where it is true, before the patch could say anything.
        is_pure = b"impure" not in self._told[:2]
        if ended == "exit" and is_pure and self._job.output.endswith(f"{self._nonce} end sound\n".encode()):
            self._lent.keep()
        lost = others and ended == "died" and whose is self._job
        return read_report(self._job.ran("not_started" if lost else ended), self._nonce)

    def asking(self, patched: Job) -> Job:
        """Pass questions to the JVM with the patched class, and its answers back."""
        self._patched = patched
        patched.hear = self._answer
        patched.at_death = lambda: self._say(_sized(b""))
        return patched

    def _hear(self, line: bytes) -> bool:
        said, _, words = line.partition(b" ")
        if said != self._nonce.encode():
            return False
        word, _, rest = words.partition(b" ")
        if word == b"made":
            name, _, content = rest.partition(b" ")
            self.made[name.decode()] = base64.b64decode(content)
        elif word == b"ask" and self._patched:
            self._patched.outgoing += rest + b"\n"
        else:
            self._told.append(word)
            self._job.is_over = word == b"end"
            return False
        return True

    def _answer(self, line: bytes) -> bool:
        if line != STARTED.line:
            self._say(_sized(line))
        return True

    def _say(self, words: bytes) -> None:
        self._job.outgoing += words


def _sized(part: bytes) -> bytes:
    return struct.pack(">i", len(part)) + part


def sources(files: Mapping[str, bytes]) -> list[str]:
    """The paths of what is to be compiled."""
    return sorted(path for path in files if path.endswith(".java"))


def encoded(text: str) -> bytes:
    """A patched file as it lies in the sandbox; what is no UTF-8 then fails to compile."""
    return text.encode("utf-8", "surrogatepass")
