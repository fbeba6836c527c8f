"""Calls to launchers that may take long, made in threads so that no run has to wait for another run's launcher."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

WAIT_S = 0.2  # for an answer at each tick; a launcher on this machine needs milliseconds
T = TypeVar("T")


class Polls:
    """Each question is asked once at a time; its answer is returned by the first call after it has arrived."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(8, thread_name_prefix="poll")
        self._asked: dict[Hashable, Future[Any]] = {}

    def answer(self, question: Hashable, ask: Callable[..., T], *about: object) -> T | None:
        """The result of `ask(*about)`, or None if it is not known yet. Raises what `ask` raises."""
        future = self._asked.get(question)
        if future is None:
            future = self._asked[question] = self._pool.submit(ask, *about)
        if not wait([future], WAIT_S).done:
            return None
        del self._asked[question]
        found: T = future.result()
        return found
