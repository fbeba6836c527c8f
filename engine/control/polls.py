"""Calls to launchers, which may take long or never return: in threads, so that no run waits for another's launcher."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future, wait
from contextlib import ExitStack, contextmanager
from threading import Thread
from typing import Any, TypeVar

from engine.errors import OutsideFailure
from engine.launchers import Launcher
from engine.plugins import LAUNCHERS
from engine.rundir import RunDir
from storage.tables import Run

PATIENCE_S = 0.2  # for an answer when a question is put; a launcher on this machine needs milliseconds
LOCK = "call.lock"  # in a run's folder, held by whoever makes a call that must be made once
T = TypeVar("T")


class Polls:
    """Each question is asked once at a time; its answer is given once, at the first look after it has come."""

    def __init__(self) -> None:
        self._asked: dict[Hashable, Future[Any]] = {}
        self._locks: dict[Hashable, ExitStack] = {}

    def answer(self, question: Hashable, ask: Callable[..., T], *about: object) -> T | None:
        """What `ask(*about)` says, or None where that is not known yet. Raises what `ask` raises."""
        future = self._asked.get(question)
        if future is None:
            future = self._asked[question] = Future()
            # a daemon, since one that never returns must not keep the studio from ending
            Thread(target=_settle, args=(future, ask, about), name="poll", daemon=True).start()
            wait([future], PATIENCE_S)
        if not future.done():
            return None
        del self._asked[question]
        found: T = future.result()
        return found

    @contextmanager
    def once(self, question: Hashable, folder: RunDir, ask: Callable[..., T], *about: object) -> Iterator[T | None]:
        """The same for what must not be asked twice, by no studio: a lock is held until the answer has been stored.

        Whoever stores it does so inside of the `with`. None too where another studio has asked and waits. A studio that
        is killed leaves the lock, and nobody knows then whether it had an answer.
        """
        if question not in self._locks:
            lock = ExitStack()
            try:
                lock.enter_context(folder.held(LOCK))
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

    def waits_for(self, question: Hashable) -> bool:
        """Whether this question was asked and its answer has not been taken."""
        return question in self._asked

    def forget(self, question: Hashable, then: Callable[[Any], object]) -> None:
        """Wait no longer for an answer; `then` is called with it in its thread, should it come."""
        future, lock = self._asked.pop(question, None), self._locks.pop(question, None)
        if future is not None:
            future.add_done_callback(lambda done: None if done.exception() else then(done.result()))
            if lock is not None:
                future.add_done_callback(lambda _: lock.close())


def _settle(future: Future[Any], ask: Callable[..., Any], about: tuple[object, ...]) -> None:
    try:
        future.set_result(ask(*about))
    except BaseException as error:
        future.set_exception(error)


def launcher_of(run: Run) -> Launcher:
    """The launcher of a run, with its settings."""
    return LAUNCHERS.create(LAUNCHERS.params(run.spec.get("launcher", run.launcher)))
