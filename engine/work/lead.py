"""Leads the workers that share a run: has each started, says in the run's own events what they say, and combines it.

A shard is an ordinary worker that does one part (`engine.run_inputs.Part`) in a folder below the run's. What it says of
bugs and patches is said once, however often a shard or this worker is started again, so the rows of a run are the same
whatever the number of its shards. Where this worker is killed, shards on other machines go on, and it finds them again
when the run is resumed.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import asdict, replace
from hashlib import blake2b
from importlib import import_module
from queue import Empty, SimpleQueue
from typing import Any, Literal

from engine.errors import OutsideFailure, UserError
from engine.events import MODEL, PatchEvent, Payload, Progress, State
from engine.launchers import Launcher, TellsPlace
from engine.launchers.leading import places_of
from engine.launchers.local import Local, boot_id, start_time
from engine.plugins import LAUNCHERS
from engine.run_inputs import Part
from engine.rundir import Inputs, RunDir
from engine.spec import SplitSpec
from engine.work.shard import Shard
from engine.work.watched import LEADER

log = logging.getLogger(__name__)
LOOK_S = 0.5  # between two looks at a shard
SAY_S = 1.0  # between two progress events
STARTS = 3  # of a shard that ends without having got further


def lead(spec: SplitSpec, inputs: Inputs, run: RunDir) -> dict[str, Any]:
    """Have `spec.shards` workers do the run; returns its result, with their number as "shards".

    Memory grows by about 100 bytes for each patch. Raises what a shard failed with, as UserError or OutsideFailure,
    when those that run have ended; no further ones are started then, and a resumed run goes on with what is left.
    """
    began = time.monotonic()
    leading = _Leading(spec, inputs, run)
    leading.work()
    results = [shard.result for shard in leading.shards]
    module, _, name = spec.combine.partition(":")
    combined: dict[str, Any] = getattr(import_module(module), name)(spec, inputs, run, results)
    combined.pop("rates", None)  # of what is left to be done here, by which no plan should reckon
    seconds = time.monotonic() - began
    rate = {"patches_per_s": round(leading.told.patches / seconds, 2)} if "patches_per_s" in combined else {}
    gpus = {"gpus": leading.most_cards} if "gpus" in combined else {}
    return combined | rate | gpus | {"seconds": round(seconds, 1), "shards": spec.shards}


class Told:
    """What a run's events have said of bugs and patches. Safe to use from several threads."""

    def __init__(self, run: RunDir) -> None:
        self._run = run
        self._lock = threading.Lock()
        self.patches = 0  # of a model, told now
        self._known = {_digest(event.payload) for event in run.all_events() if event.payload is not None}

    def tell(self, payload: Payload) -> None:
        """Emit it, unless the same was said before."""
        digest = _digest(payload)
        with self._lock:
            if digest not in self._known:
                self._run.emit(payload)
                self._known.add(digest)
                self.patches += isinstance(payload, PatchEvent) and payload.source == MODEL


def _digest(payload: Payload) -> bytes:
    text = json.dumps([type(payload).__name__, asdict(payload)], sort_keys=True, default=str)
    return blake2b(text.encode("utf-8", "replace"), digest_size=12).digest()


class _Leading:
    """The shards of a run, a few of them at work at a time: a thread for each place that the launcher has."""

    def __init__(self, spec: SplitSpec, inputs: Inputs, run: RunDir) -> None:
        self._spec, self._inputs, self._run = spec, inputs, run
        self.told = Told(run)
        self._handles = run.handles()
        self._storing = threading.Lock()
        self._ends = threading.Event()  # no further shard is started; with `_stops` those at work are asked to end
        self._stops = threading.Event()
        self._cards = 0
        self.most_cards = 0  # at a time
        self.shards = [Shard(number, run.shard(number)) for number in range(1, spec.shards + 1)]

    def work(self) -> None:
        """Returns once all shards are done. Raises what made one fail."""
        for shard in self.shards:
            shard.skip_log()
        left: SimpleQueue[Shard] = SimpleQueue()
        for shard in self.shards:
            left.put(shard)
        places = places_of(LAUNCHERS.create(self._spec.launcher), self._spec)
        pool = ThreadPoolExecutor(len(places), thread_name_prefix="shard")
        threads = [pool.submit(self._serve, place, left) for place in places]
        try:
            self._wait_for(threads)
        except BaseException:  # a user's stop, or nothing can be written: then nothing goes on unseen
            self._stops.set()
            raise
        finally:
            self._ends.set()
            pool.shutdown(wait=True)
        self._say()

    def _wait_for(self, threads: Sequence[Future[None]]) -> None:
        while wait(threads, SAY_S).not_done:
            self._say()
        for thread in threads:
            thread.result()

    def _say(self) -> None:
        cards = sum(shard.cards for shard in self.shards)
        if cards != self._cards:
            self._cards, self.most_cards = cards, max(cards, self.most_cards)
            self._run.emit(State("running", cards=cards))
        done = sum(shard.is_done for shard in self.shards)
        text = f"{done} of {len(self.shards)} shards done"
        waiting = [shard.waits for shard in self.shards if shard.waits]
        if waiting:
            text += f", {len(waiting)} waiting ({waiting[0]})"
        self._run.emit(Progress(round(sum(shard.share for shard in self.shards), 3), len(self.shards), text))

    # -- one place, in a thread of its own ------------------------------------------------------------------------

    def _serve(self, place: Launcher, left: SimpleQueue[Shard]) -> None:
        """Have one shard after the other done here."""
        try:
            while not self._ends.is_set():
                try:
                    shard = left.get_nowait()
                except Empty:
                    return
                self._finish(shard, place)
        except OSError:  # what it says cannot be written
            self._stops.set()
            raise
        except BaseException:
            self._ends.set()
            raise

    def _finish(self, shard: Shard, place: Launcher) -> None:
        """Returns once it is done, or has ended after a stop. Raises what it failed with."""
        starts = 0
        while True:
            self._take(shard)
            if shard.is_done:
                return
            before = shard.share
            if not self._found(shard, place):
                if self._ends.is_set():
                    return
                self._start(shard, place)
                starts += 1
            why = self._watched(shard, place)
            if shard.is_done or self._stops.is_set():
                return
            if shard.state == "failed" and shard.cause != "outside":
                self._fail(shard)
            starts = 1 if shard.share > before else starts
            if starts >= STARTS:
                shard.error = shard.error or why or "its worker was killed"
                self._fail(shard)
            log.warning("shard %d ended early (%s); it is started again", shard.number, shard.error or why or "killed")

    def _found(self, shard: Shard, place: Launcher) -> bool:
        """Whether its worker is at work or waits for a machine, since this one was started again."""
        shard.handle = self._handles.get(shard.number, "")
        if shard.handle and place.is_alive(shard.handle):
            return True
        if shard.folder.is_complete and (found := place.find(shard.folder.path)):
            self._store(shard, found)
            return True
        return False

    def _start(self, shard: Shard, place: Launcher) -> None:
        part = replace(self._inputs, part=Part(shard.number, len(self.shards)))
        if not shard.folder.is_complete:
            RunDir.create(shard.folder.path, self._run.spec(), part)
        shard.begin()
        # one on this machine ends with this worker, since nobody would see it; elsewhere it goes on
        ours = f"{boot_id()}:{os.getpid()}:{start_time(os.getpid())}"
        self._store(shard, place.submit(shard.folder.path, {LEADER: ours} if isinstance(place, Local) else {}))

    def _store(self, shard: Shard, handle: str) -> None:
        with self._storing:
            shard.handle = self._handles[shard.number] = handle
            self._run.write_handles(self._handles)

    def _watched(self, shard: Shard, place: Launcher) -> str:
        """Until it has ended; returns why, where its machine was the cause."""
        where = ""
        is_asked = False
        while True:
            alive = _alive(place, shard)
            self._take(shard)
            if alive is False:
                shard.waits = ""
                shard.ending()
                if shard.state not in ("", "running"):
                    return ""
                with suppress(OSError, OutsideFailure):
                    return place.interruption(shard.handle)
                return ""
            if self._stops.is_set() and not is_asked:
                with suppress(OSError, OutsideFailure):  # its machine does not answer: asked again at the next look
                    place.stop(shard.handle, shard.folder.path, force=False)
                    is_asked = True
            if isinstance(place, TellsPlace):
                with suppress(OSError, OutsideFailure):
                    now = place.place(shard.handle)
                    shard.waits = (now.reason or "no machine yet") if alive == "pending" else ""
                    if now.where != where:
                        where = now.where
                        log.info("shard %d: %s", shard.number, where)
            time.sleep(LOOK_S)

    def _take(self, shard: Shard) -> None:
        for payload in shard.news():
            self.told.tell(payload)
        for line in shard.log_lines():
            sys.stdout.write(f"shard {shard.number}: {line}\n")
        sys.stdout.flush()

    def _fail(self, shard: Shard) -> None:
        said = f"shard {shard.number} of {len(self.shards)}: {shard.error}"
        if shard.cause == "user":
            raise UserError(said)
        raise OutsideFailure(f"{said}; resume goes on with the shards that are left")


def _alive(place: Launcher, shard: Shard) -> bool | Literal["pending"] | None:
    """None where its machine or its scheduler does not answer just now."""
    try:
        return place.is_alive(shard.handle)
    except (OSError, OutsideFailure) as error:
        log.debug("shard %d: %s", shard.number, error)
        return None
