"""The only connection of the two planes: a run's folder with its spec, inputs, events, log and artifacts.

    spec.json      the settings that the user chose
    command.txt    the shell command that starts such a run
    inputs.json    what the names in the spec referred to at the start: folders, hashes, versions, machine
    events.jsonl   the worker's events, one JSON object per line (`engine.events`), numbered from 1
    inbox.jsonl    questions to a chat worker, one JSON object per line
    history-C-Q.json   what was said in conversation C before question Q, where another worker said it
    log.txt        stdout and stderr of the worker
    artifacts/     results of the run
    lock           locked by the worker while it runs
    call.lock      locked while a launcher is asked to start or to stop the worker, so that nobody asks a second time
    heartbeat      touched by the worker every HEARTBEAT_S seconds
    stop.asked     made before a worker is signalled that its scheduler would start again, and to stop one that is not
                   started yet (`engine.requeued`)
    shards/N/      the folder of the Nth worker of a run that several share, as this one (`engine.work.lead`)
    shards/handles.json   of those not known to be done: number -> the handle by which its launcher knows it
    ending.json    space reserved for the last event, for a worker that ends on a full disk
    ray.json ray.node kill.asked   of a job of Ray (`engine.launchers.ray_folder`)
    there.json link.json   of a folder that is carried to another machine (`engine.launchers.brought`)

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
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from engine import events
from engine.errors import OutsideFailure
from engine.events import Ending, Event, Payload, State
from engine.inbox import Inbox
from engine.params import explain
from engine.reading import LINE_BYTES, Reading, open_regular, read_from
from engine.run_inputs import Inputs as Inputs  # for all who read a run's folder
from engine.whole_files import append_whole, write_whole

# The states of a run after "queued". A "stalled" worker is alive, but its heartbeat has stopped; the rows of an
# "incomplete" run are those of a part of its folder, until all of it has been taken in.
ACTIVE = ("starting", "running", "stalled", "stopping")
RESUMABLE = ("stopped", "failed", "interrupted")  # the ends after which a run can be resumed
ENDED = ("done", *RESUMABLE, "incomplete")
STOPPED = 128 + signal.SIGTERM  # exit code of a worker that was asked to end
HEARTBEAT_S = 5.0
SILENT_S = 2 * HEARTBEAT_S  # without a heartbeat, a worker is stalled
ENDING_BYTES = 16 << 10
AT_ONCE_BYTES = 4 << 20
SHARDS = "shards"
CALL_LOCK = "call.lock"


class RunDir(Inbox):
    """One run's folder; the control plane creates it, the worker writes its results into it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seq: int | None = None
        self._writing = threading.Lock()  # the memory sampler and the trainer emit from two threads

    @property
    def artifacts(self) -> Path:
        return self.path / "artifacts"

    @property
    def home(self) -> Path:
        """The folder that has all runs, of a shard too."""
        own = self.path.parents[1] if self.path.parent.name == SHARDS else self.path
        return own.parents[1]

    def shard(self, number: int) -> RunDir:
        """The folder of one of the workers that share this run, from 1."""
        return RunDir(self.path / SHARDS / str(number))

    @property
    def handles_path(self) -> Path:
        return self.path / SHARDS / "handles.json"

    def handles(self) -> dict[int, str]:
        """Number of a shard -> the handle of its worker, of those that were started and are not known to be done.

        None in a folder that was elsewhere then: a handle may name that. Raises OutsideFailure.
        """
        if not self.handles_path.exists():
            return {}
        values = self._read(f"{SHARDS}/handles.json")
        if values.get("folder") != str(self.path.resolve()) or not isinstance(values.get("handles"), dict):
            return {}
        return {int(number): str(handle) for number, handle in values["handles"].items() if number.isdecimal()}

    def write_handles(self, handles: dict[int, str]) -> None:
        named = {str(number): handle for number, handle in handles.items()}
        write_whole(self.handles_path, {"folder": str(self.path.resolve()), "handles": named})

    def forget_handles(self) -> None:
        """No shard's worker of before is asked for by its handle; of no effect where the folder cannot be changed."""
        if not (self.path / SHARDS).is_symlink():  # into another run's folder
            with suppress(OSError):
                (self.path / SHARDS / "handles.json").unlink(missing_ok=True)

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
    def create(cls, path: Path, spec: dict[str, Any], inputs: Inputs, command: str = "") -> RunDir:
        """Create the folder of a new run; spec.json is written last, so a folder that has it is complete.

        Raises OutsideFailure if it cannot be written.
        """
        try:
            (path / "artifacts").mkdir(parents=True, exist_ok=True)
            (path / "events.jsonl").touch()
            if command:
                (path / "command.txt").write_text(f"{command}\n", encoding="utf-8")
            write_whole(path / "inputs.json", asdict(inputs))
            write_whole(path / "spec.json", spec)
        except OSError as error:
            raise OutsideFailure(f"cannot write the run's folder {path}: {error.strerror}") from error
        return cls(path)

    @property
    def is_complete(self) -> bool:
        """Whether it was created, and the files that a worker needs were not removed since."""
        return self.events_path.exists() and (self.path / "spec.json").exists()

    def spec(self) -> dict[str, Any]:
        """The content of spec.json. Raises OutsideFailure if it cannot be read."""
        return self._read("spec.json")

    def inputs(self) -> Inputs:
        """The content of inputs.json. Raises OutsideFailure if it cannot be read."""
        values = self._read("inputs.json")
        try:
            return Inputs.from_json(values)
        except (TypeError, ValueError) as error:
            why = explain(error) if isinstance(error, ValidationError) else error
            raise OutsideFailure(
                f"{self.path / 'inputs.json'} was changed, or written by another version of Repair Studio ({why}); "
                "start a new run"
            ) from None

    def _read(self, name: str) -> dict[str, Any]:
        path = self.path / name
        try:
            with open(open_regular(path), encoding="utf-8") as file:
                values = json.load(file)
        except OSError as error:
            raise OutsideFailure(f"{path} cannot be read: {error.strerror}; start a new run") from None
        except (ValueError, RecursionError) as error:
            raise OutsideFailure(f"{path} is damaged: not JSON ({error}); start a new run") from None
        if not isinstance(values, dict):
            raise OutsideFailure(f"{path} is damaged: not a JSON object; start a new run")
        return values

    def write_inputs(self, inputs: Inputs) -> None:
        write_whole(self.path / "inputs.json", asdict(inputs))

    # -- the worker's side ------------------------------------------------------------------------------------

    def emit(self, payload: Payload) -> None:
        """Append one event as a complete line. Raises OSError if it cannot be written; then nothing is written."""
        kind, fields = events.written(payload)
        self.append(kind, **fields)

    def append(self, kind: str, /, **fields: Any) -> None:
        """The same for an event of any kind, as another version or another program may write it."""
        with self._writing:
            if self._seq is None:
                self._close_torn_line()
                self._seq = max((event.seq for event in self.all_events()), default=0)
            line = _encoded({"seq": self._seq + 1, "time": time.time(), "event": kind, **fields})
            assert len(line) <= LINE_BYTES, f"an event of {len(line):,} bytes"
            append_whole(self.events_path, line)
            self._seq += 1

    def _close_torn_line(self) -> None:
        """Add the newline that a killed writer did not write, so that the next event starts a new line."""
        with self.events_path.open("rb") as file:
            is_empty = file.seek(0, os.SEEK_END) == 0
            if not is_empty:
                file.seek(-1, os.SEEK_END)
            is_torn = not is_empty and file.read(1) != b"\n"
        if is_torn:
            append_whole(self.events_path, b"\n")

    def reserve_ending(self) -> None:
        """Reserve the disk space to which `end` can write when the disk is full."""
        with (self.path / "ending.json").open("wb") as file:
            file.write(b" " * ENDING_BYTES)
            file.flush()
            os.fsync(file.fileno())

    def end(self, state: Ending, *, error: str = "", cause: str = "") -> None:
        """Emit the last state of a run that is not done; on a full disk, write it to the reserved space."""
        last = State(state, error=error[: ENDING_BYTES // 8], cause=cause)
        with suppress(OSError):
            self.emit(last)
            self.release_ending()
            return
        self.write_ending(last)

    def write_ending(self, last: State) -> None:
        """Write the last state to the reserved space, if it was reserved and is not released."""
        with suppress(OSError), (self.path / "ending.json").open("r+b") as file:
            file.write(_encoded({"seq": 1, "time": time.time(), "event": "state", **asdict(last)}))
            file.flush()
            os.fsync(file.fileno())

    def release_ending(self) -> None:
        (self.path / "ending.json").unlink(missing_ok=True)

    def beat(self) -> None:
        """Update the heartbeat, which shows that the worker is neither suspended nor hanging."""
        path = self.path / "heartbeat"
        try:
            os.utime(path)
        except FileNotFoundError:
            path.touch()

    @contextmanager
    def held(self, name: str = "lock") -> Iterator[None]:
        """Hold the run's lock while the worker runs. Raises OutsideFailure if another worker holds it."""
        with open(open_regular(self.path / name, os.O_RDWR | os.O_CREAT), "r+b") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise OutsideFailure(f"another worker is already running in {self.path}") from None
            yield

    # -- the control plane's side -----------------------------------------------------------------------------

    def events(self, offset: int = 0, most: int | None = None, *, last: int | None = None, broken: int = 0) -> Reading:
        """Events from byte `offset`; see `engine.reading.read_from`."""
        return read_from(self.events_path, offset, most, last=last, broken=broken)

    def all_events(self) -> Iterator[Event]:
        """Every whole line from the first on, a few MiB of them in memory at a time."""
        offset = last = broken = 0
        while (reading := self.events(offset, AT_ONCE_BYTES, last=last, broken=broken)).offset > offset:
            yield from reading.events
            offset, broken = reading.offset, broken + reading.broken
            last = max([last, *(event.seq for event in reading.events)])

    def ending(self) -> Event | None:
        """The last state that a worker wrote to the reserved space, on a full disk; None if it did not."""
        with suppress(OSError, ValueError), open(open_regular(self.path / "ending.json"), "rb") as file:
            event = events.read(file.read(ENDING_BYTES).partition(b"\n")[0])
            return event if isinstance(event.payload, events.State) else None
        return None

    def beat_at(self) -> float:
        """When the worker's last heartbeat came, in seconds since the epoch; 0 before the first."""
        with suppress(FileNotFoundError):
            return (self.path / "heartbeat").stat().st_mtime
        return 0.0

    def silent_s(self) -> float:
        """Seconds since the worker's last heartbeat; 0 before the first."""
        return max(0.0, time.time() - at) if (at := self.beat_at()) else 0.0

    def beats(self) -> bool:
        """Whether a worker's heartbeat came lately."""
        return time.time() - self.beat_at() < SILENT_S

    def is_held(self, name: str = "lock") -> bool:
        """Whether a worker, or a process that it started, holds the run's lock."""
        try:
            with open(open_regular(self.path / name), "rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:
            pass  # no worker was here yet
        return False


def _encoded(values: dict[str, Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
