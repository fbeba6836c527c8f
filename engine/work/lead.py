"""Leads the workers that share a run: has each started, says in the run's own events what they say, and combines it.

A shard is an ordinary worker that does one part (`engine.run_inputs.Part`) in a folder below the run's. What it says of
bugs and patches is said once, however often a shard or this worker is started again, so the rows of a run are the same
whatever the number of its shards. Where this worker is killed, shards on other machines go on, and it finds them again
when the run is resumed.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from queue import Empty, SimpleQueue
from typing import Any

from engine.errors import OutsideFailure, PartFailure
from engine.launchers import BY_OTHERS, Launcher, TellsPlace
from engine.launchers.leading import places_of
from engine.launchers.local import MARK, Local, boot_id, start_time
from engine.plugins import LAUNCHERS
from engine.requeued import ask_to_stop
from engine.run_inputs import Part
from engine.rundir import Inputs, RunDir
from engine.spec import SplitSpec
from engine.whole_files import write_whole
from engine.work.asked import NotNow, alive_at, asked
from engine.work.said import Said
from engine.work.shard import Shard, share_of
from engine.work.told import Told
from engine.work.watched import LEADER

log = logging.getLogger(__name__)
LOOK_S = 0.5  # between two looks at a shard
SAY_S = 1.0  # between two progress events
STARTS = 3  # of a shard that ends without having got further
FREE_SPACE = "; free some space there, then resume"
RETRY_S, GIVE_UP_S = 15.0, 600.0  # where a launcher does not answer, or takes nothing


def lead(spec: SplitSpec, inputs: Inputs, run: RunDir) -> dict[str, Any]:
    """Have `spec.shards` workers do the run; returns its result, with their number as "shards".

    Memory grows by about 200 bytes for each patch. Raises PartFailure with what a shard failed with when those
    that run have ended; no further ones are started then, and a resumed run goes on with what is left.
    """
    began = time.monotonic()
    leading = _Leading(spec, inputs, run)
    leading.work()
    results = [shard.result for shard in leading.shards]
    combined: dict[str, Any] = _called(spec.combine, spec, inputs, run, results)
    combined.pop("rates", None)  # of what is left to be done here, by which no plan should reckon
    seconds = time.monotonic() - began
    rate = {"patches_per_s": round(leading.told.patches / seconds, 2)} if "patches_per_s" in combined else {}
    gpus = {"gpus": leading.said.most_cards} if "gpus" in combined else {}
    return combined | rate | gpus | {"seconds": round(seconds, 1), "shards": len(leading.shards)}


def _called(place: str, *about: object) -> Any:
    """What the function at this place of the work plane returns ("engine.work.combine:benchmark")."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)(*about)


class _Leading:
    """The shards of a run, a few of them at work at a time: a thread for each place that the launcher has."""

    def __init__(self, spec: SplitSpec, inputs: Inputs, run: RunDir) -> None:
        self._spec, self._inputs, self._run = spec, inputs, run
        self.told = Told(run)
        self._handles = run.handles()
        self._shared: dict[str, Any] = {}  # the spec of each
        self._storing = threading.Lock()
        self._ends = threading.Event()  # no further shard is started; with `_stops` those at work are asked to end
        self._stops = threading.Event()
        count = min(spec.shards, max(1, _called(spec.most_parts, spec))) if spec.most_parts else spec.shards
        self.shards = [Shard(number, run.shard(number)) for number in range(1, count + 1)]
        self.said = Said(run, self.told, self.shards)

    def work(self) -> None:
        """Returns once all shards are done. Raises what made one fail."""
        for shard in self.shards:
            shard.skip_log()
        left: SimpleQueue[Shard] = SimpleQueue()
        for shard in self.shards:
            left.put(shard)
        places = places_of(LAUNCHERS.create(self._spec.launcher), self._spec)
        self._shared, at_once = share_of(self._run.spec(), len(places))
        places = places[:at_once]
        pool = ThreadPoolExecutor(len(places), thread_name_prefix="shard")
        threads: list[Future[None]] = []
        try:
            threads += [pool.submit(self._serve, place, left) for place in places]
            self._wait_for(threads)
        except BaseException:  # a user's stop, or nothing can be written: then nothing goes on unseen
            self._stops.set()
            for shard in self.shards:
                if not shard.handle and shard.folder.is_complete:
                    ask_to_stop(shard.folder.path)  # a launcher that tries to start it may have to wait for that
            raise
        finally:
            self._ends.set()
            with suppress(OSError):  # it cannot be written
                self._say_until_ended(threads)
            pool.shutdown(wait=True)

    def _wait_for(self, threads: Sequence[Future[None]]) -> None:
        self._say_until_ended(threads)
        for thread in threads:
            thread.result()

    def _say_until_ended(self, threads: Sequence[Future[None]]) -> None:
        is_last = False
        while not is_last:
            is_last = not wait(threads, SAY_S).not_done
            self.said.say(is_stopping=self._stops.is_set())

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
        refused_at: float | None = None
        while True:
            self._take(shard)
            if shard.is_done:
                self._store(shard, "")
                return
            before = shard.share
            try:
                if not self._found(shard, place):
                    if self._ends.is_set():
                        return
                    self._start(shard, place)
                    starts += 1
            except NotNow as error:
                refused_at = refused_at or time.monotonic()
                self._wait_after(error, shard, refused_at)
                if self._ends.is_set():
                    return
                continue
            refused_at, shard.waits = None, ""
            why = self._watched(shard, place)
            if self._stops.is_set():
                shard.has_stopped()
                return
            if shard.is_done:
                continue
            if shard.state == "failed" and shard.cause != "outside":
                self._fail(shard)
            if BY_OTHERS in why:
                shard.error, shard.cause = why, "outside"
                self._fail(shard)
            starts = 1 if shard.share > before else starts
            if starts >= STARTS:
                shard.error = shard.error or why or "its worker was killed"
                shard.cause = "outside"
                self._fail(shard)
            log.warning("shard %d ended early (%s); it is started again", shard.number, shard.error or why or "killed")

    def _wait_after(self, error: NotNow, shard: Shard, since: float) -> None:
        """Before its launcher is asked again. Raises OutsideFailure if none is at work, and it was asked for long.

        That is not long where it has not taken a single one: its settings may be wrong.
        """
        if shard.waits != str(error):
            shard.waits = str(error)
            log.warning("shard %d: %s; it is tried again", shard.number, error)
        others = [each for each in self.shards if each is not shard]
        patience_s = GIVE_UP_S if any(each.handle or each.is_done for each in others) else RETRY_S
        if time.monotonic() - since > patience_s and not any(each.state == "running" for each in others):
            raise OutsideFailure(f"shard {shard.number} of {len(self.shards)}: {error}; resume the run when it can be")
        self._ends.wait(RETRY_S)

    def _found(self, shard: Shard, place: Launcher) -> bool:
        """Whether its worker is at work or waits for a machine, since this one was started again; or not known."""
        shard.handle = self._handles.get(shard.number, "")
        if shard.handle and alive_at(place, shard) is not False:
            return True
        if shard.folder.is_complete and (found := asked(place.find, shard.folder.path)):
            self._store(shard, found)
            return True
        return False

    def _start(self, shard: Shard, place: Launcher) -> None:
        part = replace(self._inputs, part=Part(shard.number, len(self.shards)))
        if not shard.folder.is_complete:
            shard.create(self._shared, part)
        elif shard.folder.spec() != self._shared:  # another number of them is at work now
            write_whole(shard.folder.path / "spec.json", self._shared)
        shard.begin()
        # a mark of its own, since this worker's would go along; one on this machine ends with this worker, since nobody
        # would see it, and elsewhere it goes on
        ours = f"{boot_id()}:{os.getpid()}:{start_time(os.getpid())}"
        environment = {MARK: str(shard.folder.path)} | ({LEADER: ours} if isinstance(place, Local) else {})
        self._store(shard, asked(place.submit, shard.folder.path, environment))

    def _store(self, shard: Shard, handle: str) -> None:
        """`handle`: empty, if it needs none any more."""
        with self._storing:
            before = self._handles.pop(shard.number, "")
            shard.handle = handle
            if handle:
                self._handles[shard.number] = handle
            if handle != before:
                self._run.write_handles(self._handles)

    def _watched(self, shard: Shard, place: Launcher) -> str:
        """Until it has ended; returns why, where its machine was the cause."""
        is_asked = False
        while True:
            if self._stops.is_set() and not is_asked:  # first, since what follows may take a minute
                with suppress(OSError, OutsideFailure):  # its machine does not answer: asked again at the next look
                    place.stop(shard.handle, shard.folder.path, force=False)
                    is_asked = True
            if not shard.folder.is_complete and self._is_given_up(shard, place):
                return "its folder was removed"
            alive = alive_at(place, shard)
            self._take(shard)
            if alive is False:
                shard.waits, shard.is_at_work = "", False
                shard.ending()
                if shard.state not in ("", "running"):
                    return ""
                with suppress(OSError, OutsideFailure):
                    return place.interruption(shard.handle)
                return ""
            # the answer may be older than what it says: one that beats has its machine
            is_waiting = alive == "pending" and not (shard.state == "running" and shard.folder.beats())
            waits = "no machine yet" if is_waiting else ""
            if isinstance(place, TellsPlace):
                with suppress(OSError, OutsideFailure):
                    now = place.place(shard.handle)
                    waits = now.reason or waits if is_waiting else ""
                    if now.where != shard.where:
                        shard.where = now.where
                        log.info("shard %d: %s", shard.number, shard.where)
            if alive is not None:
                shard.waits, shard.is_at_work = waits, not is_waiting
            time.sleep(LOOK_S)

    def _is_given_up(self, shard: Shard, place: Launcher) -> bool:
        """Kill one whose folder is gone, so that nobody would see what it does; False: it cannot be just now."""
        try:
            place.stop(shard.handle, shard.folder.path, force=True)
        except (OSError, OutsideFailure):
            return False
        self._store(shard, "")
        return True

    def _take(self, shard: Shard) -> None:
        self.told.tell(shard.news())
        for line in shard.log_lines():
            sys.stdout.write(f"shard {shard.number}: {line}\n")
        sys.stdout.flush()

    def _fail(self, shard: Shard) -> None:
        said = f"shard {shard.number} of {len(self.shards)}: {shard.error}"
        cause = shard.cause or "outside"
        advice = {"outside": "; resume goes on with the shards that are left", "disk_full": FREE_SPACE}
        raise PartFailure(said + advice.get(cause, ""), cause)
