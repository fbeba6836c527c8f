"""The connection to a service: an answer that takes too long, or is larger than any can be, is ended."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx2

from engine.generators.answers import TooMuch

MOST_BYTES = 256 << 20  # of one answer
TOKEN_BYTES, MOST_CHOICES = 64, 200  # the longest token written in JSON; most completions of one request


class Bounded(httpx2.HTTPTransport):
    """Ends an answer that takes longer than `seconds`, or is larger than one to `tokens` for each completion can be.

    The client's own timeout is for each piece that comes.
    """

    def __init__(self, seconds: float, tokens: int) -> None:
        super().__init__()
        self._seconds = seconds
        self._most = min(MOST_BYTES, (1 << 20) + tokens * TOKEN_BYTES * MOST_CHOICES)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """As httpx2 calls it."""
        until = time.monotonic() + self._seconds
        response = super().handle_request(request)
        assert isinstance(response.stream, httpx2.SyncByteStream)
        response.stream = _BoundedStream(response.stream, until, self._most)
        return response


class _BoundedStream(httpx2.SyncByteStream):
    def __init__(self, stream: httpx2.SyncByteStream, until: float, most: int) -> None:
        self._stream, self._until, self._left = stream, until, most

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._stream:
            self._left -= len(piece)
            if self._left < 0:
                raise TooMuch
            if time.monotonic() > self._until:
                raise httpx2.ReadTimeout("the answer took too long")
            yield piece

    def close(self) -> None:
        self._stream.close()
