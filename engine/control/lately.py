"""What was read lately, so that a page that is drawn again does not have it read again."""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from pydantic import BaseModel

T = TypeVar("T")
KEPT = 4  # answers


class Lately(Generic[T]):
    """Calls `read`; for an argument (text, JSON or Params) seen before only after `seconds`. Errors are not kept."""

    def __init__(self, read: Callable[[object], T], seconds: float = 10.0) -> None:
        self._read, self._seconds = read, seconds
        self._answers: OrderedDict[str, tuple[float, T]] = OrderedDict()

    def __call__(self, asked: object) -> T:
        """Raises what reading raises."""
        values = asked.model_dump(mode="json") if isinstance(asked, BaseModel) else asked
        key, now = json.dumps(values, sort_keys=True, default=str), time.monotonic()
        at, answer = self._answers.get(key, (0.0, None))
        if answer is None or now - at > self._seconds:
            answer = self._read(asked)
            self._answers[key] = (now, answer)
            while len(self._answers) > KEPT:
                self._answers.popitem(last=False)
        return answer
