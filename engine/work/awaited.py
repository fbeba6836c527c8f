"""Reads the pieces of a service's answer in a thread, so that whoever waits for the next one can give it up."""

from __future__ import annotations

from queue import Empty, SimpleQueue
from threading import Event, Thread

from engine.generators import Stream


def awaited(pieces: Stream, pause_s: float) -> Stream:
    """The pieces as they come, and an empty one after each `pause_s` seconds without any.

    Returns and raises what `pieces` does. Closed before its end, it leaves the thread, which ends with the next piece
    or the service's time limit.
    """
    told: SimpleQueue[str | bool | BaseException] = SimpleQueue()  # a piece; at the end, what it returned or raised
    is_given_up = Event()

    def read() -> None:
        try:
            while not is_given_up.is_set():
                told.put(next(pieces))
            pieces.close()
        except StopIteration as end:
            told.put(bool(end.value))
        except BaseException as error:
            told.put(error)

    Thread(target=read, name="answer", daemon=True).start()
    try:
        while True:
            try:
                piece = told.get(timeout=pause_s)
            except Empty:
                yield ""
                continue
            if isinstance(piece, BaseException):
                raise piece
            if isinstance(piece, bool):
                return piece
            yield piece
    finally:
        is_given_up.set()
