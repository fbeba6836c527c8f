"""All that passes between the two planes: a run's folder with its spec, its inputs, its events, its log and artifacts.

    spec.json      what the user asked for
    inputs.json    what the names in it meant when it was started: folders, hashes, versions, machine
    events.jsonl   what the worker says, one JSON object a line (`engine.events`), numbered from 1
    inbox.jsonl    what a chat worker is asked, one JSON object a line
    log.txt        stdout and stderr of the worker
    artifacts/     what the run makes
    lock           held by the worker while it lives
    call.lock      held by a studio while it waits for its launcher to start or to stop the worker
    heartbeat      touched by the worker every HEARTBEAT_S seconds
    ending.json    space reserved for the last event, for a worker that ends on a full disk

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
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from engine import events
from engine.domain import Model
from engine.errors import OutsideFailure
from engine.events import Event
from engine.reading import LINE_BYTES, Reading, read_from

# The states of a run; before them all it is "queued". A "stalled" worker is alive but its heartbeat has stopped.
ACTIVE = ("starting", "running", "stalled", "stopping")
CAN_GO_ON = ("stopped", "failed", "interrupted")  # the ends after which a run can be resumed
ENDED = ("done", *CAN_GO_ON)
STOPPED = 128 + signal.SIGTERM  # exit code of a worker that was asked to end
HEARTBEAT_S = 5.0
ENDING_BYTES = 16 << 10
AT_ONCE_BYTES = 4 << 20


@dataclass(frozen=True)
class Inputs:
    """What a spec's names stood for at the start, so that the folder alone can repeat the run."""

    model: Model | None = None
    dataset: str = ""  # absolute folder of the training set
    dataset_hash: str = ""
    # recorded by the worker, which has the files at hand and is the one that runs (`engine.fingerprint`)
    weights_hash: str = ""  # of the model's own folder
    base_hash: str = ""  # of an adapter's base model
    code_version: str = ""  # this and the next two as they were when it began
    versions: dict[str, str] = field(default_factory=dict)  # of Python and of each library
    machine: dict[str, Any] = field(default_factory=dict)
    later_starts: tuple[dict[str, Any], ...] = ()  # `time` of each, and what of these three was another then

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Inputs:
        model = values.pop("model", None)
        return cls(model=Model(**model) if model else None, **values)


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
        """Write the folder of a new run; spec.json comes last, so a folder that has it is whole.

        Raises OutsideFailure where the disk does not take it.
        """
        try:
            (path / "artifacts").mkdir(parents=True, exist_ok=True)
            (path / "events.jsonl").touch()
            _write(path / "inputs.json", asdict(inputs))
            _write(path / "spec.json", spec)
        except OSError as error:
            raise OutsideFailure(f"cannot write the run's folder {path}: {error.strerror}") from error
        return cls(path)

    @property
    def is_whole(self) -> bool:
        """Whether it was made, and nobody has removed what a worker cannot do without."""
        return self.events_path.exists() and (self.path / "spec.json").exists()

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

    def write_inputs(self, inputs: Inputs) -> None:
        _write(self.path / "inputs.json", asdict(inputs))

    # -- the worker's side ------------------------------------------------------------------------------------

    def emit(self, kind: str, /, **fields: Any) -> None:
        """Append one event as a whole line. Raises OSError where the disk does not take it; nothing is written then."""
        with self._writing:
            if self._seq is None:
                self._close_torn_line()
                self._seq = max((event.seq for event in self.all_events()), default=0)
            line = _encoded({"seq": self._seq + 1, "time": time.time(), "event": kind, **fields})
            assert len(line) <= LINE_BYTES, f"an event of {len(line):,} bytes"
            _append(self.events_path, line)
            self._seq += 1

    def _close_torn_line(self) -> None:
        """End the line that a killed writer left without its newline, so that the next event is a line of its own."""
        with self.events_path.open("rb") as file:
            is_empty = file.seek(0, os.SEEK_END) == 0
            if not is_empty:
                file.seek(-1, os.SEEK_END)
            is_torn = not is_empty and file.read(1) != b"\n"
        if is_torn:
            _append(self.events_path, b"\n")

    def reserve_ending(self) -> None:
        """Take the space in which `end` can write when the disk is full."""
        with (self.path / "ending.json").open("wb") as file:
            file.write(b" " * ENDING_BYTES)
            file.flush()
            os.fsync(file.fileno())

    def end(self, state: str, *, error: str = "", cause: str = "") -> None:
        """Emit the last state of a run that is not done; on a full disk it goes into the space reserved for it."""
        fields = {"state": state, "error": error[: ENDING_BYTES // 8], "cause": cause}
        with suppress(OSError):
            self.emit("state", **fields)
            self.release_ending()
            return
        with suppress(OSError), (self.path / "ending.json").open("r+b") as file:
            file.write(_encoded({"seq": 1, "time": time.time(), "event": "state", **fields}))
            file.flush()
            os.fsync(file.fileno())

    def release_ending(self) -> None:
        (self.path / "ending.json").unlink(missing_ok=True)

    def beat(self) -> None:
        """Show that the worker is running, and not stopped or hanging."""
        path = self.path / "heartbeat"
        try:
            os.utime(path)
        except FileNotFoundError:
            path.touch()

    @contextmanager
    def held(self, name: str = "lock") -> Iterator[None]:
        """Hold the run's lock for the worker's life. Raises OutsideFailure where another worker holds it."""
        with (self.path / name).open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise OutsideFailure(f"another worker is already at work in {self.path}") from None
            yield

    # -- the control plane's side -----------------------------------------------------------------------------

    def events(self, offset: int = 0, most: int | None = None, *, last: int | None = None, broken: int = 0) -> Reading:
        """Whole lines from byte `offset` on, as `engine.reading.read_from` takes them."""
        return read_from(self.events_path, offset, most, last=last, broken=broken)

    def all_events(self) -> Iterator[Event]:
        """Every whole line from the first on, a few MiB of them in memory at a time."""
        offset = last = broken = 0
        while (reading := self.events(offset, AT_ONCE_BYTES, last=last, broken=broken)).offset > offset:
            yield from reading.events
            offset, broken = reading.offset, broken + reading.broken
            last = max([last, *(event.seq for event in reading.events)])

    def ending(self) -> Event | None:
        """The last state that a worker could write nowhere else but into the space reserved for it."""
        with suppress(OSError, ValueError):
            event = events.read((self.path / "ending.json").read_bytes().partition(b"\n")[0])
            return event if isinstance(event.said, events.State) else None
        return None

    def silent_s(self) -> float:
        """Seconds since the worker's last heartbeat; 0 before the first."""
        with suppress(FileNotFoundError):
            return max(0.0, time.time() - (self.path / "heartbeat").stat().st_mtime)
        return 0.0

    def is_held(self, name: str = "lock") -> bool:
        """Whether some worker (or a child it left behind) holds the run's lock."""
        with (self.path / name).open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    # -- chat: questions go in, turns come out as events ------------------------------------------------------

    def ask(self, **question: Any) -> None:
        """Put one question into a chat worker's inbox. Raises OSError where the disk does not take it."""
        _append(self.path / "inbox.jsonl", json.dumps(question).encode() + b"\n", is_new=True)

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


def _write(path: Path, values: dict[str, Any]) -> None:
    """The whole file or none of it."""
    unfinished = path.with_name(f"{path.name}.tmp")
    unfinished.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
    unfinished.rename(path)


def _encoded(values: dict[str, Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def _append(path: Path, line: bytes, *, is_new: bool = False) -> None:
    """All of `line` or nothing. A file that is not there is made only if it `is_new`: its folder was removed."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | (os.O_CREAT if is_new else 0), 0o600)
    try:
        start, left = os.fstat(descriptor).st_size, memoryview(line)
        try:
            while left:
                left = left[os.write(descriptor, left) :]
        except OSError as error:
            os.ftruncate(descriptor, start)
            raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        os.close(descriptor)
