"""Runs: ask for one, stop it, go on with it, look at it."""

from __future__ import annotations

import re
import shlex
import shutil
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

from sqlmodel import Session

from engine.control.datasets import Datasets
from engine.control.models import SHIPPED, Models
from engine.control.repeat import differences
from engine.errors import OutsideFailure, UserError
from engine.params import place
from engine.plugins import BENCHMARKS, BUILDERS, TRAINERS
from engine.rundir import ACTIVE, ENDED, Inputs, RunDir
from engine.specs import BenchmarkSpec, ChatSpec, DatasetSpec, Spec, TrainSpec, overrides_of, run_of
from storage import queries
from storage.database import Database
from storage.tables import Run

NEEDED_BYTES = 200 << 20  # free disk below which no run is started
Curve = list[tuple[int, float, float]]  # (optimizer step, value, seconds since the epoch)
VERBS = {"dataset": "dataset build"}
MAKERS = ("dataset", "train", "merge")  # kinds of run whose result is known by the run's name
GIVEN = re.compile(rf"({'|'.join(MAKERS)})-\d+$")


class Runs:
    """The runs of a workspace; the supervisor starts and watches what is asked for here."""

    def __init__(self, home: Path, database: Database, models: Models, datasets: Datasets) -> None:
        self._home = home
        self._database = database
        self._models = models
        self._datasets = datasets

    def submit(self, spec: Spec, *, after: int | None = None, group: str = "") -> int:
        """Queue a run and return its id; with `after` it waits for that run, whose result it may name.

        Raises UserError where a name in the spec means nothing or is taken, OutsideFailure on a full disk.
        """
        self._check_disk()
        kind = str(getattr(spec, "kind", ""))
        spec = self._from_anywhere(spec)
        if after is None:
            self.inputs(spec)
        self.check(spec)
        with self._database.write() as session:
            _check_name(session, kind, spec.name)
            run = Run(
                kind=kind,
                name=spec.name,
                state="queued",
                spec=spec.model_dump(mode="json"),
                group=group,
                after=after,
                created_at=time.time(),
            )
            session.add(run)
            session.flush()
            assert run.id is not None
            run.name = run.name or given_name(spec, run.id)
            run.folder = str(self._home / "runs" / str(run.id))
            return run.id

    def check(self, spec: Spec) -> None:
        """What a plug-in that is named can say at once. Raises UserError where what it needs is plainly not there."""
        if isinstance(spec, DatasetSpec):
            BUILDERS.create(spec.builder).check()
        if isinstance(spec, BenchmarkSpec | ChatSpec):
            BENCHMARKS.create(spec.benchmark).check()

    def _from_anywhere(self, spec: Spec) -> Spec:
        """Folders named instead of models and data sets as absolute ones: who starts the run stands elsewhere."""
        known = {"model": self._models.names, "adapter": self._models.names, "dataset": self._datasets.names}
        folders = {
            field: str(place(reference, field=field).absolute())
            for field, names in known.items()
            if (reference := getattr(spec, field, ""))
            and reference not in names()
            and place(reference, field=field).is_dir()
        }
        return spec.model_copy(update=folders)

    def inputs(self, spec: Spec) -> Inputs:
        """What the names in a spec mean now. Raises UserError."""
        reference = getattr(spec, "adapter", None) or getattr(spec, "model", None)
        field = "adapter" if hasattr(spec, "adapter") else "model"
        model = self._models.resolve(str(reference or ""), field=field)
        if field == "adapter" and model.kind not in ("adapter", ""):
            raise UserError(f"adapter: {model.name!r} is no adapter but a {model.kind} model", field="adapter")
        if isinstance(spec, TrainSpec):
            TRAINERS.create(spec.trainer).check(self._models.nearest(model))
        folder, content = "", ""
        if hasattr(spec, "dataset"):
            folder, content = self._datasets.resolve(spec.dataset)
        return Inputs(model=model, dataset=folder, dataset_hash=content)

    def differences(self, spec: Spec, source: str) -> Sequence[str]:
        """What a spec that was read from a run's folder stands for today and did not then; empty for any other."""
        folder = run_of(source)
        return differences(folder, self.inputs(spec)) if folder else []

    def get(self, run_id: int) -> Run:
        """Raises UserError on an unknown id."""
        with self._database.read() as session:
            run = queries.run(session, run_id)
        if run is None:
            raise UserError(f"there is no run {run_id}; `repair-studio runs list` shows those there are")
        return run

    def list(self, *, kind: str = "", search: str = "", group: str = "", limit: int = 200) -> Sequence[Run]:
        """Newest first."""
        with self._database.read() as session:
            return queries.runs(session, kind=kind, search=search, group=group, limit=limit)

    def metrics(self, run_id: int) -> dict[str, Curve]:
        """Metric name -> (optimizer step, value, seconds since the epoch), in step order."""
        with self._database.read() as session:
            rows = queries.curves(session, run_id)
        curves: dict[str, Curve] = {}
        for name, step, value, at in rows:
            curves.setdefault(name, []).append((step, value, at))
        return curves

    def log(self, run_id: int, n_bytes: int = 16_000) -> str:
        """The end of the worker's output; hostile text."""
        path = RunDir(Path(self.get(run_id).folder)).log
        if not path.exists():
            return ""
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - n_bytes))
            return file.read().decode("utf-8", "replace").replace("\0", "")

    def stop(self, run_id: int, *, now: bool = False) -> None:
        """Ask a run to end once it has saved its work, or `now`, without saving; the supervisor sees to it.

        A queued run is stopped at once.
        """
        with self._database.write() as session:
            run = queries.run(session, run_id)
            if run is None or run.state in ENDED:
                return
            is_new = run.state != "stopping" or (now and not run.stop_now)
            run.stop_asked_at = time.time() if is_new else run.stop_asked_at
            run.stop_now = run.stop_now or now
            run.state = "stopped" if run.state == "queued" else "stopping"
            run.ended_at = time.time() if run.state == "stopped" else None
            session.add(run)

    def resume(self, run_id: int) -> None:
        """Go on where a run stopped: from its newest whole checkpoint, or with the patches not yet judged."""
        self.get(run_id)
        self._check_disk()
        with self._database.write() as session:
            run = session.get_one(Run, run_id)
            if run.state not in ("stopped", "failed", "interrupted"):
                raise UserError(f"run {run_id} is {run.state}; only a stopped, failed or interrupted run can go on")
            _check_name(session, run.kind, run.spec.get("name", ""), but=run_id)
            run.state, run.error, run.cause, run.handle = "queued", "", "", ""
            run.stop_asked_at = run.stop_sent_at = run.ended_at = None
            run.stop_now = False

    def free_name(self, kind: str, name: str) -> str:
        """`name`, or with the next number where it is taken; empty for a name that was made for a run."""
        if not name or kind not in MAKERS or GIVEN.match(name):
            return "" if GIVEN.match(name) else name
        taken = {*self._datasets.names()} if kind == "dataset" else {entry.name for entry in self._models.list()}
        taken |= {run.name for run in self.list(limit=1000) if run.kind in MAKERS}
        stem, _, number = name.rpartition("-")
        stem, first = (stem, int(number)) if stem and number.isdecimal() and len(number) < 6 else (name, 1)
        return next(each for i in count(first) if (each := name if i == first else f"{stem}-{i}") not in taken)

    def command(self, spec: Spec) -> str:
        """The shell command that does just this."""
        kind = str(getattr(spec, "kind", ""))
        words = ["repair-studio", *VERBS.get(kind, kind).split()]
        for override in overrides_of(spec):
            words += ["--set", override]
        return shlex.join([*words, "--home", str(self._home), "--wait"])

    def _check_disk(self) -> None:
        free = shutil.disk_usage(self._home).free
        if free < NEEDED_BYTES:
            raise OutsideFailure(
                f"no disk space: {free >> 20} MiB free in {self._home}, a run needs {NEEDED_BYTES >> 20} MiB; "
                "free some space or choose another --home"
            )


def _check_name(session: Session, kind: str, name: str, *, but: int = 0) -> None:
    """Raises UserError where another result, or a run that will make one, has this name already.

    Call it in the transaction that takes the name, or two runs could take it at once.
    """
    if not name or kind not in MAKERS:
        return
    if GIVEN.match(name):
        raise UserError(f"name: {name!r} is how runs without a name are called; choose another name", field="name")
    kinds = ("dataset",) if kind == "dataset" else ("train", "merge")
    waiting = queries.runs_in(session, ("queued", *ACTIVE))
    taken = any(run.name == name and run.kind in kinds and run.id != but for run in waiting)
    if kind == "dataset":
        taken = taken or queries.dataset_named(session, name) is not None
    else:
        taken = taken or queries.model_named(session, name) is not None or any(entry.name == name for entry in SHIPPED)
    if taken:
        what = "data set" if kind == "dataset" else "model"
        raise UserError(f"name: there is already a {what} called {name!r}; choose another name", field="name")


def given_name(spec: Spec, run_id: int) -> str:
    """What a run without a name is called; results that others refer to by name get a unique one."""
    if isinstance(spec, BenchmarkSpec):
        return f"{Path(spec.model).name} on {spec.benchmark.name}"
    if isinstance(spec, ChatSpec):
        return f"chat with {Path(spec.model).name}"
    return f"{getattr(spec, 'kind', '')}-{run_id}"


def spec_json(spec: Spec) -> str:
    """The spec as the file that the shell command reads."""
    return spec.model_dump_json(indent=2)


def progress_of(run: Run) -> float | None:
    """Share done, 0 to 1; None where nobody knows."""
    if run.state == "done":
        return 1.0
    return min(1.0, run.progress_done / run.progress_total) if run.progress_total else None


def result_of(run: Run) -> dict[str, Any]:
    """A run as the shell prints it."""
    keys = ("id", "kind", "name", "state", "folder", "created_at", "started_at", "ended_at", "error", "result")
    return {key: getattr(run, key) for key in keys}
