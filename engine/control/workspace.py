"""An open home folder: its database, runs, models, datasets, patches and chats; one studio at a time serves it."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
import threading
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from engine import machine
from engine.control import exports
from engine.control.bench_files import Bench
from engine.control.changes import Changes
from engine.control.chat_exports import ChatExports
from engine.control.chats import Chats
from engine.control.compare import Compare
from engine.control.curves import RunCurves
from engine.control.datasets import Datasets
from engine.control.demo import Demo
from engine.control.edits import Edits
from engine.control.lineage import Stage, lineage
from engine.control.models import Models
from engine.control.own_bugs import OwnBugs
from engine.control.patches import Patches
from engine.control.plans import Plans
from engine.control.preflight import Generation, Preflight, generation, preflight
from engine.control.reviews import Reviews
from engine.control.rounds import Rounds
from engine.control.runs import Runs
from engine.control.supervise import Supervisor
from engine.control.sweeps import Sweeps
from engine.control.take_in import take_in
from engine.control.uploads import Uploads
from engine.control.views import RunView
from engine.errors import OutsideFailure, UserError
from engine.plan import Cluster, Plan
from engine.specs import KINDS, BenchmarkSpec, ChatSpec, Spec, TrainingSpec
from storage.database import Damaged, Database, Newer, Unavailable

log = logging.getLogger(__name__)
ERROR_PAUSE_S = 10.0  # after an internal error, before the next tick


class Workspace:
    """Everything in one home folder. Opening creates what is missing."""

    def __init__(self, home: Path) -> None:
        """Raises UserError if the folder cannot be used."""
        try:
            self.home = home.expanduser().resolve()
            (self.home / "runs").mkdir(parents=True, exist_ok=True)
            self.home.chmod(0o700)
            self._database = Database(self.home / "studio.db")
        except Damaged as error:
            raise UserError(str(error)) from None
        except Unavailable as error:
            raise OutsideFailure(str(error)) from None
        except (OSError, RuntimeError) as error:  # RuntimeError: "~name" of an unknown user, a loop of links
            why = error.strerror if isinstance(error, OSError) else str(error).rstrip(".")
            raise UserError(f"the home folder {home} cannot be used: {why}; choose another --home") from None
        except Newer as error:
            raise UserError(
                f"{self.home / 'studio.db'} was made by a newer Repair Studio (its version is {error}); update this "
                "one, or choose another --home"
            ) from None
        self.models = Models(self._database)
        self.datasets = Datasets(self.home, self._database)
        self.runs = Runs(self.home, self._database, self.models, self.datasets)
        self.edits = Edits(self.home, self._database)
        self.curves = RunCurves(self._database)
        self.patches = Patches(self.home, self._database)
        self.reviews = Reviews(self._database)
        self.compare = Compare(self._database)
        self.chats = Chats(self.home, self._database, self.runs)
        self.chat_exports = ChatExports(self.home, self._database, self.chats)
        self.uploads = Uploads(self.home)
        self.own_bugs = OwnBugs(self.home)
        self.demo = Demo(self.runs, self.patches)
        self.sweeps = Sweeps(self.runs, self.patches)
        self.rounds = Rounds(self.runs)
        self._plans = Plans(self.runs, self.models, self.datasets, self._database)
        self._changes = Changes(self._database)
        self._supervisor = Supervisor(self.home, self._database, self.runs)
        self._claim: int | None = None
        self._machine: machine.Machine | None = None
        self._checking = threading.Lock()
        self.trouble = ""  # why nothing can be stored now, as the watching thread found; empty if it can

    def tick(self) -> None:
        """Bring everything up to date once. Raises OSError if it cannot be stored, OutsideFailure on damage."""
        try:
            self._supervisor.tick()
        except Damaged as error:
            raise OutsideFailure(str(error)) from None

    def is_submitting(self) -> bool:
        """Whether this process is giving a run to its launcher, which would fail if it ended now."""
        return self._supervisor.is_submitting()

    def watch(self, period_s: float = 0.5) -> threading.Event:
        """Tick in the background until the returned event is set."""
        ended = threading.Event()

        def loop() -> None:
            while not ended.wait(period_s / 5 if self._supervisor.is_behind else period_s):
                try:
                    self.tick()
                    self.trouble = ""
                except (OSError, OutsideFailure) as error:  # disk full or database busy: try again next time
                    if self.trouble != str(error):
                        print(f"supervisor: {error}", flush=True)
                    self.trouble = str(error)
                except Exception:  # an internal error must not end the watching of all other runs
                    log.exception("the runs could not be watched")
                    ended.wait(ERROR_PAUSE_S)

        threading.Thread(target=loop, name="supervisor", daemon=True).start()
        return ended

    def claim(self, address: str) -> None:
        """Become the only studio that serves this home. Raises UserError naming the one that already does."""
        if damage := self._database.damage():
            raise UserError(damage)
        path = self.home / "studio.lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            try:
                owner = json.loads(path.read_text(encoding="utf-8"))
            except ValueError:  # the other studio is just writing it
                owner = {"pid": "unknown", "address": "unknown"}
            os.close(descriptor)
            raise UserError(
                f"the home folder {self.home} is already served at {owner['address']} by process {owner['pid']}; "
                "open that page, stop it, or choose another --home"
            ) from None
        self._claim = descriptor
        try:
            os.ftruncate(descriptor, 0)
            os.write(descriptor, json.dumps({"pid": os.getpid(), "address": address}).encode())
        except OSError as error:
            raise OutsideFailure(
                f"{path} cannot be written: {error.strerror}; free some space and start again"
            ) from None

    def tidy(self) -> None:
        """Remove the unfinished files of a studio that was killed; only the one that has claimed the home may."""
        assert self._claim is not None
        exports.tidy(self.home / "exports")
        self.uploads.tidy()

    def take_in(self, folder: Path) -> int:
        """Create the rows of a run again from its folder, and return its number. Raises UserError."""
        return take_in(self.home, self._database, folder)

    def lineage(self, model: str) -> Sequence[Stage]:
        """A model, then what it was made from, to a base model; see `engine.control.lineage`."""
        return lineage(self.models, self._database, model)

    def origin(self, run: RunView) -> Sequence[Stage]:
        """What the model is made from that a run makes, or would have made; empty for any other kind of run."""
        makes_model = run.kind in KINDS and KINDS[run.kind].makes == "model"
        source = str(run.spec.get("adapter") or run.spec.get("model") or "") if makes_model else ""
        return self.lineage(source) if source else []

    def preflight(self, spec: TrainingSpec) -> Preflight:
        """The memory that training would need. Raises UserError if the model or its sizes are not known."""
        return preflight(spec, self.models, self.datasets, self.runs.calibrations())

    def generation(self, spec: BenchmarkSpec | ChatSpec) -> Generation | None:
        """The memory that writing patches would need; None where it is not known, or not of this machine."""
        try:
            return generation(spec, self.models)
        except UserError:
            return None

    def plan(self, spec: Spec, cluster: Cluster, bench: Sequence[Bench] = ()) -> Plan:
        """What a run would take, by earlier runs like it; see `engine.control.plans`. Raises UserError."""
        return self._plans.plan(spec, cluster, bench)

    def stamp(self) -> str:
        """A short text that changes whenever anything that a page shows may have changed; cheap."""
        return f"{self._changes.stamp()}{zlib.crc32(self.trouble.encode()):x}"

    def machine(self) -> machine.Machine:
        """What this machine can do: checked once, since it takes a second, but for the free disk."""
        with self._checking:
            self._machine = self._machine or machine.report(self.home)
        return replace(self._machine, free_disk_bytes=shutil.disk_usage(self.home).free)

    def close(self) -> None:
        if self._claim is not None:
            os.close(self._claim)
            self._claim = None
        self._database.close()
