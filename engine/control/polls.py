"""Calls to launchers, which may take long or never return: in threads, so that no run waits for another's launcher."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future, wait
from contextlib import ExitStack, contextmanager
from threading import Thread
from typing import Any, TypeVar

from engine.errors import OutsideFailure
from engine.launchers import Launcher, Place, TellsPlace
from engine.launchers.leading import Leading
from engine.plugins import LAUNCHERS
from engine.rundir import CALL_LOCK, RunDir
from storage.tables import Run

WAIT_S = 0.2  # for an answer when a question is asked; a launcher on this machine needs milliseconds
T = TypeVar("T")


class Polls:
    """Each question is asked once at a time; its answer is returned by the first call after it has arrived."""

    def __init__(self) -> None:
        self._asked: dict[Hashable, Future[Any]] = {}
        self._locks: dict[Hashable, ExitStack] = {}

    def answer(self, question: Hashable, ask: Callable[..., T], *about: object) -> T | None:
        """The result of `ask(*about)`, or None if it is not known yet. Raises what `ask` raises."""
        future = self._asked.get(question)
        if future is None:
            future = self._asked[question] = Future()
            # a daemon thread, since one that never returns must not keep the studio from exiting
            Thread(target=_complete, args=(future, ask, about), name="poll", daemon=True).start()
            wait([future], WAIT_S)
        if not future.done():
            return None
        del self._asked[question]
        found: T = future.result()
        return found

    @contextmanager
    def once(self, question: Hashable, folder: RunDir, ask: Callable[..., T], *about: object) -> Iterator[T | None]:
        """As `answer`, for a call that no other studio may make meanwhile: a lock is held until the answer is stored.

        The answer is to be stored inside the `with`. Yields None too if another studio holds the lock. If a studio is
        killed, its lock is released, and whether the call was made is not known.
        """
        if question not in self._locks:
            lock = ExitStack()
            try:
                lock.enter_context(folder.held(CALL_LOCK))
            except OutsideFailure:
                yield None
                return
            self._locks[question] = lock
        is_over = True
        try:
            found = self.answer(question, ask, *about)
            is_over = found is not None
            yield found
        finally:
            if is_over:
                self._locks.pop(question).close()

    def place(self, run: Run, launcher: Launcher) -> Place | None:
        """Where the run's worker is; None if that is not known yet, or if its launcher does not tell."""
        if not isinstance(launcher, TellsPlace):
            return None
        return self.answer(("place", run.handle), launcher.place, run.handle)

    def is_waiting(self, question: Hashable) -> bool:
        """Whether this question was asked and its answer was not returned yet."""
        return question in self._asked

    def is_under_way(self, question: Hashable) -> bool:
        """Whether this question was asked and has no answer yet."""
        return question in self._asked and not self._asked[question].done()

    def is_open(self, call: str) -> bool:
        """Whether a call of this name has not returned yet: it would end with this process."""
        return any(
            isinstance(question, tuple) and question[0] == call and not future.done()
            for question, future in self._asked.items()
        )

    def forget(self, question: Hashable, then: Callable[[Any], object]) -> None:
        """Stop waiting for an answer; if it arrives later, `then` is called with it in a thread of its own."""
        future, lock = self._asked.pop(question, None), self._locks.pop(question, None)
        if future is not None:
            future.add_done_callback(lambda done: None if done.exception() else then(done.result()))
            if lock is not None:
                future.add_done_callback(lambda _: lock.close())


def _complete(future: Future[Any], ask: Callable[..., Any], about: tuple[object, ...]) -> None:
    try:
        future.set_result(ask(*about))
    except BaseException as error:
        future.set_exception(error)


def launcher_of(run: Run) -> Launcher:
    """The launcher of a run, with its settings."""
    return launcher_with(run.spec.get("launcher", run.launcher), shards_of(run))


def launcher_with(settings: Any, shards: Any) -> Launcher:
    """The launcher with these settings, for runs that so many workers share: 1 where it is no number."""
    launcher = LAUNCHERS.create(LAUNCHERS.params(settings))
    return Leading(launcher, shards) if isinstance(shards, int) and shards > 1 else launcher


def shards_of(run: Run) -> int:
    """How many workers share it."""
    shards = run.spec.get("shards", 1)
    return shards if isinstance(shards, int) else 1
