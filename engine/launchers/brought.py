"""Brings what a worker writes on another machine back into the run's folder here: whole lines, and each once.

The events and the log here are always a beginning of those there, so their lengths say where to go on, also after a
studio was killed within a line. Events that name results come after these: a checkpoint or an end is not known here
before its files are.

    there.json  where the run's folder is on the other machine
    link.json   of the worker that was looked for last: when, whether it runs, and why the other machine is not reached
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from engine.errors import OutsideFailure, UserError
from engine.launchers.host import Host
from engine.models.adapters import CONFIG
from engine.rundir import Inputs, RunDir
from engine.whole_files import append_whole, write_whole

THERE, LINK, LOCK = OURS = ("there.json", "link.json", "link.lock")  # in the run's folder here only
FETCH_S = 10.0  # between two copies of files that no event names
EXIT_S = 10.0  # for a worker to exit after its last event: it still writes to its log
EXITED_S = 0.5  # between two looks whether it has
# As `RunDir.append` writes the events that name results
NAMES_FILES = re.compile(rb'^\{"seq": \d+, "time": [^,]+, "event": ("checkpoint"|"state", "state": "(?!running))', re.M)
ENDS = re.compile(rb'^\{"seq": \d+, "time": [^,]+, "event": "state", "state": "(?!running)', re.M)
IN_CACHE = re.compile(r"/models--([^/]+)--([^/]+)/snapshots/[^/]+/?$")  # a model of the hub (huggingface_hub's layout)


@dataclass(frozen=True)
class Link:
    """What is known of a worker elsewhere."""

    worker: str = ""
    time: float = 0.0  # of the last look, answered or not
    is_alive: bool = True
    interruption: str = ""
    why: str = ""  # it is not reached
    since: float = 0.0  # when it was first not reached; 0: it is
    stamp: str = ""  # of its other files, when they were copied last
    fetched: float = 0.0
    ending: float = 0.0  # when its last event was first seen while it still ran
    written: float = 0.0  # when the inputs were, by the clock there


def read_link(folder: Path) -> Link:
    """The link of a run's folder; an empty one if there is none."""
    with suppress(OSError, ValueError, TypeError):
        return Link(**json.loads((folder / LINK).read_text(encoding="utf-8")))
    return Link()


def write_link(folder: Path, link: Link) -> None:
    """Raises OSError."""
    write_whole(folder / LINK, asdict(link))


def lost(link: Link, why: object) -> Link:
    """The link after a look that was not answered."""
    return replace(link, time=time.time(), why=str(why), since=link.since or time.time())


@dataclass(frozen=True)
class Bringing:
    """The folder `there` on a host, and the run's folder here; `shared`: they are the same one."""

    host: Host
    there: str
    run: RunDir
    shared: bool

    def look(self, worker: str, every_s: float) -> Link:
        """What is known, after a look at the worker if the last one is `every_s` seconds ago.

        A host that is not reached, or a file that cannot be copied, changes nothing but `why`. Raises OSError if that
        cannot be written either.
        """
        with self._alone() as is_alone:
            link = read_link(self.run.path)
            if link.worker != worker:
                link = Link(worker)
            wait_s = min(every_s, EXITED_S) if link.ending and not link.why else every_s
            if not is_alone or not link.is_alive or abs(time.time() - link.time) < wait_s:
                return link
            try:
                link = self.all(link)
            except (OSError, OutsideFailure, UserError) as error:  # no reason to end a worker: the next may succeed
                link = lost(link, error)
            except (KeyError, TypeError, ValueError) as error:  # its studio was replaced by one of another version
                why = f"{self.host.name} answers otherwise than this version of Repair Studio ({error!r})"
                link = lost(link, f"{why}; install the same version on both")
            write_link(self.run.path, link)
            return link

    def all(self, link: Link) -> Link:
        """Bring back all that is new, and all there is if the worker has ended. Raises Unreachable, OSError."""
        if self.shared:
            told, _ = self.host.ask("look", folder=self.there, worker=link.worker)
            return self._answered(link, told)
        has_more = True
        while has_more:
            sizes = {"events_from": _size(self.run.events_path), "log_from": _size(self.run.log)}
            told, (events, log) = self.host.ask(
                "look", folder=self.there, worker=link.worker, inputs_from=link.written, **sizes
            )
            if told["is_gone"]:
                return replace(self._answered(link, told), is_alive=False, interruption=f"{self.there} was removed")
            has_more = told["has_more"] and bool(events or log)
            link = self._take(self._answered(link, told), told, events, log, is_last=not has_more)
        return link

    def _answered(self, link: Link, told: dict[str, Any]) -> Link:
        interruption = told["interruption"].replace("the machine", self.host.name, 1)
        known = {"is_alive": told["is_alive"], "interruption": interruption, "why": "", "since": 0.0}
        return replace(link, time=time.time(), **known)

    def _take(self, link: Link, told: dict[str, Any], events: bytes, log: bytes, *, is_last: bool) -> Link:
        if log:
            append_whole(self.run.log, log, is_new=True)
        if link.is_alive and (end := ENDS.search(events)):
            link = replace(link, ending=link.ending or time.time())
            if time.time() - link.ending < EXIT_S:
                events = events[: end.start()]
        named = NAMES_FILES.search(events)
        at = named.start() if named else len(events)
        self._append(events[:at])
        if "inputs" in told:
            self._take_inputs(told["inputs"])
            link = replace(link, written=told["written"])
        has_ended = is_last and not link.is_alive
        is_due = link.stamp != told["stamp"] and time.time() - link.fetched > FETCH_S
        if named or has_ended or is_due:
            self.host.fetch(self.there, self.run.path, OURS if has_ended else (*OURS, "ending.json"))
            self._name_base()
            link = replace(link, stamp=told["stamp"], fetched=time.time())
        self._append(events[at:])
        heartbeat = time.time() - told["silent_s"]
        (self.run.path / "heartbeat").touch()
        os.utime(self.run.path / "heartbeat", (heartbeat, heartbeat))
        return link

    def _append(self, events: bytes) -> None:
        if events:
            append_whole(self.run.events_path, events)

    def _take_inputs(self, values: dict[str, Any]) -> None:
        """What the worker found out of its inputs, which are called here as they were."""
        with suppress(TypeError, ValueError, OutsideFailure):
            here, told = self.run.inputs(), Inputs.from_json(values)
            model = told.model
            if here.model is not None and model is not None:
                model = replace(model, path=here.model.path, base=here.model.base or _hub_id(model.base))
            self.run.write_inputs(replace(told, model=model, dataset=here.dataset))

    def _name_base(self) -> None:
        """Let an adapter that came back name its base model as it is called here."""
        file = self.run.artifacts / "model" / CONFIG
        model = self.run.inputs().model
        with suppress(FileNotFoundError):
            values = json.loads(file.read_text(encoding="utf-8"))
            if model is not None:
                base = Path(model.weights)
                values["base_model_name_or_path"] = str(base.resolve() if base.is_dir() else base)
                unfinished = file.with_suffix(".tmp")
                unfinished.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
                unfinished.rename(file)

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Whether no other studio, nor another thread of this one, is bringing the same back just now."""
        descriptor = os.open(self.run.path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
        finally:
            os.close(descriptor)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _hub_id(folder: str) -> str:
    found = IN_CACHE.search(folder)
    return f"{found[1]}/{found[2]}" if found else folder
