"""What a run's events have said of bugs and patches: it is said once, however often its shards are read again."""

from __future__ import annotations

import json
import threading
from collections.abc import Hashable, Iterable
from dataclasses import asdict
from hashlib import blake2b

from engine.events import MODEL, BugEvent, PatchEvent, Payload, State
from engine.rundir import RunDir


class Told:
    """Safe to use from several threads. About 200 bytes for each bug and patch."""

    def __init__(self, run: RunDir) -> None:
        self._run = run
        self._lock = threading.Lock()
        self.patches = 0  # of a model, told now
        self.known_patches = 0  # of a model, told now or before
        self.most_cards = 0  # GPUs at a time, before now
        self._last: dict[int, int] = {}  # what was said last of a bug or a patch, both as numbers
        for event in run.all_events():
            if isinstance(event.payload, BugEvent | PatchEvent):
                self._keep(event.payload)
            elif isinstance(event.payload, State):
                self.most_cards = max(self.most_cards, event.payload.cards or 0)

    def tell(self, payloads: Iterable[Payload]) -> None:
        """Emit what the run's events do not say already: of each bug and each patch the last.

        A shard that is read again from its first event has said other things before that; these are over.
        """
        for payload in {_about(each): each for each in payloads}.values():
            with self._lock:
                if self._last.get(_number(_about(payload))) != _said(payload):
                    self._run.emit(payload)
                    self._keep(payload)
                    self.patches += _is_of_model(payload)

    def _keep(self, payload: Payload) -> None:
        about = _number(_about(payload))
        self.known_patches += about not in self._last and _is_of_model(payload)
        self._last[about] = _said(payload)


def _is_of_model(payload: Payload) -> bool:
    return isinstance(payload, PatchEvent) and payload.source == MODEL


def _about(payload: Payload) -> Hashable:
    if isinstance(payload, PatchEvent):
        return payload.bug_id, payload.source, payload.rank
    assert isinstance(payload, BugEvent), payload
    return payload.id


def _said(payload: Payload) -> int:
    return _number(json.dumps(asdict(payload), sort_keys=True, default=str))


def _number(value: object) -> int:
    text = value if isinstance(value, str) else repr(value)
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=12).digest(), "big")
