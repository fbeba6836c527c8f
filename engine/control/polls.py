"""Questions to launchers that may take long to answer, asked in threads so that no run waits for another's answer."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

PATIENCE_S = 0.2  # for an answer at one look; a launcher on this machine needs milliseconds
T = TypeVar("T")


class Polls:
    """Each question is asked once at a time; its answer is given once, at the first look after it has come."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(8, thread_name_prefix="poll")
        self._asked: dict[Hashable, Future[Any]] = {}

    def answer(self, question: Hashable, ask: Callable[..., T], *about: object) -> T | None:
        """What `ask(*about)` says, or None where that is not known yet. Raises what `ask` raises."""
        future = self._asked.get(question)
        if future is None:
            future = self._asked[question] = self._pool.submit(ask, *about)
        if not wait([future], PATIENCE_S).done:
            return None
        del self._asked[question]
        found: T = future.result()
        return found
