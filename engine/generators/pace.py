"""Lets so many requests begin in a minute, at equal distances, whichever threads send them."""

from __future__ import annotations

import time
from threading import Event, Lock


class Pace:
    """One for all requests to a service."""

    def __init__(self, per_minute: int | None) -> None:
        """None: as many as come."""
        self._gap_s = 60 / per_minute if per_minute else 0.0
        self._next_s = 0.0
        self._changing = Lock()

    def wait(self, given_up: Event) -> bool:
        """Wait for one's turn; False, soon after `given_up` was set, if nothing should be sent any more."""
        if not self._gap_s:
            return True
        with self._changing:
            now_s = time.monotonic()
            turn_s = max(now_s, self._next_s)
            self._next_s = turn_s + self._gap_s
        return not given_up.wait(turn_s - now_s)
