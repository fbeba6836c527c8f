"""The doorway between the two planes: a run's folder with its spec, its inputs, its events, its log and artifacts.

    spec.json      what the user asked for
    inputs.json    what the names in it meant when it was started: folders, data hash, code version
    events.jsonl   what the worker says, one JSON object a line, numbered from 1
    inbox.jsonl    what a chat worker is asked, one JSON object a line
    log.txt        stdout and stderr of the worker
    artifacts/     what the run makes
    lock           held by the worker while it lives

The worker may be on another machine: it sees this folder and never the database.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from engine.domain import Model
from engine.errors import OutsideFailure

# The states of a run; before them all it is "queued".
ACTIVE = ("starting", "running", "stopping")
ENDED = ("done", "stopped", "failed", "interrupted")
STOPPED = 128 + signal.SIGTERM  # exit code of a worker that was asked to end


@dataclass(frozen=True)
class Inputs:
    """What a spec's names stood for at the start, so that the folder alone can repeat the run."""

    model: Model | None = None
    dataset: str = ""  # absolute folder of the training set
    dataset_hash: str = ""
    code_version: str = ""

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Inputs:
        model = values.pop("model", None)
        return cls(model=Model(**model) if model else None, **values)


@dataclass(frozen=True)
class Event:
    """One thing a worker said; its `fields` by `kind`:

    state       state ("running" | "done" | "failed" | "stopped"), result {...} | error (text), cause
                ("user" | "outside" | "bug" | "out_of_memory" | "disk_full")
    progress    done, total (or null), text
    metric      step (optimizer steps), values {name: number}
    checkpoint  step, path
    resumed     step: what was said of later steps is void
    bug         id, language, path, kind, cwe, start, end, buggy, fixed, skipped (reason or ""), prompt_tokens
    patch       bug_id, source ("model" | "known_fix" | "buggy_code"), rank (from 1; 0 for the other two),
                completion, text (or null), score, same_as (rank of an equal patch, or null), verdict {...}
    delta       conversation, text: more of the answer that is being written; restart: it begins anew
    answered    conversation, questions: how many of its questions have been dealt with
    turn        conversation, number (from 1), role, text, patch (or null), patch_reason, verdict (or null)
    """

    seq: int
    time: float  # seconds since the epoch
    kind: str
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """Events from some byte on, where the next reading starts, and how many lines were not readable."""

    events: list[Event]
    offset: int
    broken: int


class RunDir:
    """One run's folder; the control plane makes it, the worker fills it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seq: int | None = None
        self._writing = threading.Lock()  # the memory sampler and the trainer emit from two threads

    @property
    def artifacts(self) -> Path:
        return self.path / "artifacts"

    @staticmethod
    def artifacts_of(folder: str) -> str:
        return str(Path(folder) / "artifacts")

    @property
    def log(self) -> Path:
        return self.path / "log.txt"

    @property
    def events_path(self) -> Path:
        return self.path / "events.jsonl"

    @classmethod
    def create(cls, path: Path, spec: dict[str, Any], inputs: Inputs) -> RunDir:
        """Write the folder of a new run. Raises OutsideFailure where the disk does not take it."""
        try:
            (path / "artifacts").mkdir(parents=True)
            (path / "spec.json").write_text(json.dumps(spec, indent=2) + "\n", encoding="utf-8")
            (path / "inputs.json").write_text(json.dumps(asdict(inputs), indent=2) + "\n", encoding="utf-8")
            (path / "events.jsonl").touch()
        except OSError as error:
            raise OutsideFailure(f"cannot write the run's folder {path}: {error.strerror}") from error
        return cls(path)

    def spec(self) -> dict[str, Any]:
        """What spec.json holds. Raises OutsideFailure where it cannot be read."""
        return self._read("spec.json")

    def inputs(self) -> Inputs:
        """What inputs.json holds. Raises OutsideFailure where it cannot be read."""
        values = self._read("inputs.json")
        try:
            return Inputs.from_json(values)
        except TypeError as error:
            raise OutsideFailure(
                f"{self.path / 'inputs.json'} was changed, or written by another version of Repair Studio ({error}); "
                "ask for the run anew"
            ) from None

    def _read(self, name: str) -> dict[str, Any]:
        path = self.path / name
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise OutsideFailure(f"{path} cannot be read: {error.strerror}; ask for the run anew") from None
        except (ValueError, RecursionError) as error:
            raise OutsideFailure(f"{path} is damaged and holds no JSON ({error}); ask for the run anew") from None
        if not isinstance(values, dict):
            raise OutsideFailure(f"{path} is damaged and holds no JSON object; ask for the run anew")
        return values

    # -- the worker's side ------------------------------------------------------------------------------------

    def emit(self, kind: str, /, **fields: Any) -> None:
        """Append one event as a whole line; a torn last line of a killed writer is closed first."""
        with self._writing:
            if self._seq is None:
                reading = self.events()
                self._seq = max((event.seq for event in reading.events), default=0)
                if reading.offset < self.events_path.stat().st_size:
                    _append(self.events_path, b"\n")
            self._seq += 1
            line = json.dumps({"seq": self._seq, "time": time.time(), "event": kind, **fields}, ensure_ascii=False)
            _append(self.events_path, line.encode("utf-8", "replace") + b"\n")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the run's lock for the worker's life. Raises OutsideFailure where another worker holds it."""
        with (self.path / "lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise OutsideFailure(f"another worker is already at work in {self.path}") from None
            yield

    # -- the control plane's side -----------------------------------------------------------------------------

    def events(self, offset: int = 0) -> Reading:
        """Whole lines from byte `offset` on; never goes past the last newline, skips and counts broken lines."""
        with self.events_path.open("rb") as file:
            file.seek(offset)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        events, broken = [], 0
        for line in whole.split(b"\n"):
            if not line.strip():
                continue
            try:
                values = json.loads(line)
                events.append(Event(values.pop("seq"), values.pop("time"), values.pop("event"), values))
            except (ValueError, KeyError, AttributeError, TypeError):
                broken += 1
        return Reading(events, offset + len(whole), broken)

    def is_held(self) -> bool:
        """Whether some worker (or a child it left behind) holds the run's lock."""
        with (self.path / "lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    # -- chat: questions go in, turns come out as events ------------------------------------------------------

    def ask(self, **question: Any) -> None:
        """Put one question into a chat worker's inbox."""
        _append(self.path / "inbox.jsonl", json.dumps(question).encode() + b"\n")

    def questions(self, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
        """The questions from byte `offset` on, and where the next reading starts."""
        path = self.path / "inbox.jsonl"
        if not path.exists():
            return [], offset
        with path.open("rb") as file:
            file.seek(offset)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        return [json.loads(line) for line in whole.splitlines() if line], offset + len(whole)


def _append(path: Path, line: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line)
    finally:
        os.close(descriptor)
