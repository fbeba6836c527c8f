"""Open sandboxes of one kind, lent to one job at a time and used again as long as nothing odd has happened in them."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from threading import Lock

from engine.sandboxes import Sandbox
from engine.sandboxes.place import Lasting, Place
from engine.sandboxes.watch import descendants

MOST_JOBS = 200  # done in one place; what little each leaves behind in a process does not add up beyond that


class Lent:
    """A place with how much it has been used; it is given up unless its borrower says `keep`."""

    def __init__(self, place: Place, held: ExitStack) -> None:
        self.place = place
        self.jobs = 0
        self.is_kept = False
        self._held = held
        self._processes = 0  # that stand in it between two jobs; 0: not known yet

    def keep(self) -> None:
        """Say that the job ended as it should and all is tidy again."""
        self.is_kept = True

    def has_answered(self) -> bool:
        """Take a byte from its channel; False where it has ended instead."""
        try:
            return bool(self.place.channel.recv(1))
        except OSError:
            return False

    def is_sound(self) -> bool:
        """Whether it is alive, with no file in its folders and no process in it but those it began with."""
        if self.place.process.poll() is not None or not self.place.is_empty():
            return False
        here = len(descendants(self.place.leader))
        self._processes = self._processes or here
        return 0 < here <= self._processes

    def close(self) -> None:
        with suppress(OSError):  # what is left of its folder is found by the next sweep
            self._held.close()


class Places:
    """As many as are in use at once. Safe to use from several threads."""

    def __init__(self, open_in: Callable[[Lasting], AbstractContextManager[Place]]) -> None:
        """`open_in`: a method of what these places belong to; they are closed as soon as nothing refers to that."""
        self._open_in = weakref.WeakMethod(open_in)  # else the two would hold each other, and stay until a collection
        self._idle: list[tuple[str, Lent]] = []
        self._changing = Lock()
        self.opened = 0  # since the beginning
        weakref.finalize(self, _close, self._idle)

    @contextmanager
    def lend(self, sandbox: Sandbox) -> Iterator[Lent]:
        """One that nobody else uses meanwhile. Raises SandboxUnavailable where a new one does not come up."""
        assert isinstance(sandbox, Lasting)
        lent = self._taken(sandbox.describe())
        if lent is None:
            held, open_in = ExitStack(), self._open_in()
            assert open_in is not None, "whoever lends is there"
            lent = Lent(held.enter_context(open_in(sandbox)), held)
            self.opened += 1
        try:
            yield lent
        except BaseException:
            lent.is_kept = False
            raise
        finally:
            lent.jobs += 1
            if lent.is_kept and lent.jobs < MOST_JOBS and lent.is_sound():
                lent.is_kept = False
                with self._changing:
                    self._idle.append((sandbox.describe(), lent))
            else:
                lent.close()

    def _taken(self, level: str) -> Lent | None:
        with self._changing:
            for each in reversed(self._idle):
                if each[0] == level:
                    self._idle.remove(each)
                    if each[1].place.process.poll() is None:
                        return each[1]
                    each[1].close()
        return None

    def close(self) -> None:
        """End all that stand idle."""
        with self._changing:
            _close(self._idle)


def _close(idle: list[tuple[str, Lent]]) -> None:
    while idle:
        idle.pop()[1].close()
