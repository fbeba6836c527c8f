"""One of the workers that share a run, as the worker sees it that leads them: its folder, and what it has said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from engine.events import BugEvent, PatchEvent, Payload, Progress, State
from engine.reading import open_regular
from engine.rundir import AT_ONCE_BYTES, Inputs, RunDir
from engine.shard_states import ShardState, States

LOG_BYTES = 1 << 20  # of its log, read at once


@dataclass
class Shard:
    """`state`: the last one it said since it was started, "" if none; `waits`: why it has no machine yet."""

    number: int
    folder: RunDir
    handle: str = ""
    state: str = ""
    result: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    cause: str = ""
    waits: str = ""
    where: str = ""  # its worker is, or was last, if its launcher tells
    starts: int = 0  # of its worker by this leading one
    cards: int = 0  # GPUs that it said it has
    is_at_work: bool = False  # its worker has a machine, as far as is known
    progress: Progress = field(default_factory=lambda: Progress(0))
    _read: int = 0  # bytes of its events
    _last: int | None = 0  # number of the last event read
    _broken: int = 0
    _logged: int = 0  # bytes of its log

    @property
    def is_done(self) -> bool:
        return self.state == "done"

    @property
    def cards_now(self) -> int:
        """None while it waits for a machine, and when its worker has ended without a word."""
        return self.cards if self.is_at_work else 0

    @property
    def has_machine(self) -> bool:
        return self.is_at_work and self.state in ("", "running")

    @property
    def share(self) -> float:
        """How much of its part is done, from 0 to 1."""
        if self.is_done:
            return 1.0
        return min(1.0, self.progress.done / self.progress.total) if self.progress.total else 0.0

    def shown(self, *, is_stopping: bool) -> ShardState:
        """For the run's page and the shell."""
        if self.is_done or (self.state in ("failed", "stopped", "interrupted") and not self.is_at_work):
            state = self.state
        elif self.handle:
            state = "stopping" if is_stopping else "running" if self.is_at_work and self.state else "starting"
        else:
            state = "stopped" if is_stopping else "queued"
        why = self.error or self.waits
        return ShardState(self.number, cast(States, state), round(self.share, 3), self.where, why, self.starts)

    def begin(self) -> None:
        """It is started again: what it said of an end before is over."""
        self.starts += 1
        self.state = self.error = self.cause = ""
        self.cards = 0

    def has_stopped(self) -> None:
        """Its worker has ended after a stop; one that was only starting does not say so itself."""
        if self.state in ("", "running"):
            self.state = "stopped"

    def create(self, spec: dict[str, Any], inputs: Inputs) -> None:
        """Create its folder, whose events and log are read from their beginnings. Raises OutsideFailure."""
        RunDir.create(self.folder.path, spec, inputs)
        self._read = self._last = self._broken = self._logged = 0

    def skip_log(self) -> None:
        """What stands in its log by now has been told."""
        self._logged = self.folder.log.stat().st_size if self.folder.log.exists() else 0

    def news(self) -> list[Payload]:
        """Bugs and patches that it has told of since the last call; its state and its progress are kept here."""
        if not self.folder.events_path.exists():
            return []
        found: list[Payload] = []
        while True:
            reading = self.folder.events(self._read, AT_ONCE_BYTES, last=self._last, broken=self._broken)
            if reading.offset == self._read:
                return found
            for event in reading.events:
                self._take(event.payload, found)
            self._read, self._broken = reading.offset, self._broken + reading.broken
            self._last = max([self._last or 0, *(event.seq for event in reading.events)])

    def _take(self, payload: Payload | None, found: list[Payload]) -> None:
        if isinstance(payload, BugEvent | PatchEvent):
            found.append(payload)
        elif isinstance(payload, Progress):
            self.progress = payload
        elif isinstance(payload, State):
            self.state, self.error, self.cause = payload.state, payload.error, payload.cause
            self.result = payload.result or {}
            self.cards = (payload.cards or 0) if payload.state == "running" else 0

    def log_lines(self) -> list[str]:
        """The whole lines that its log has more than at the last call."""
        try:
            with open(open_regular(self.folder.log), "rb") as file:
                file.seek(self._logged)
                text = file.read(LOG_BYTES)
        except OSError:
            return []  # it has none yet
        whole = text.rpartition(b"\n")[0]
        if not whole and len(text) == LOG_BYTES:
            whole = text
        self._logged = min(self._logged + len(whole) + 1, self._logged + len(text)) if whole else self._logged
        return whole.decode("utf-8", "replace").splitlines() if whole else []

    def ending(self) -> None:
        """Take over the last state that it wrote to the reserved space, on a full disk."""
        reserved = self.folder.ending()
        if reserved is not None and isinstance(reserved.payload, State) and self.state in ("", "running"):
            self._take(reserved.payload, [])


def share_of(spec: Mapping[str, Any], at_once: int) -> tuple[dict[str, Any], int]:
    """The spec of each of so many shards at a time, and how many it allows: they have a service's limits together.

    Requests under way are shared out too, and each shard has one at least.
    """
    per_minute = [each["per_minute"] for each in spec.values() if isinstance(each, dict) and each.get("per_minute")]
    allowed = min([at_once, *per_minute])
    shared = dict(spec)
    for name, values in spec.items():
        if isinstance(values, dict):
            limits = {key: max(1, values[key] // allowed) for key in ("per_minute", "parallel") if values.get(key)}
            shared[name] = {**values, **limits}
    return shared, allowed
