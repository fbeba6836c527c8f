"""Runs: submit, stop, resume and read them."""

from __future__ import annotations

import shlex
import shutil
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from sqlmodel import Session

from engine import results
from engine.control import watching
from engine.control.checks import check_settings, rows_for
from engine.control.datasets import Datasets
from engine.control.lookup import find_run
from engine.control.models import Models
from engine.control.names import AUTOMATIC_NAME, check_name, default_name, next_free
from engine.control.order import move
from engine.control.outcomes import so_far
from engine.control.references import is_remote, with_absolute_paths
from engine.control.repeat import differences
from engine.control.states import ask_to_end
from engine.control.strangers import check_launcher
from engine.control.views import RunView, Standing, views_of
from engine.control.watching import PanelStanding
from engine.curve_warnings import CurveWarning
from engine.domain import Model
from engine.errors import OutsideFailure, UserError
from engine.plugins import TRAINERS
from engine.reading import end_of
from engine.results import MeasureResult
from engine.rundir import ENDED, RESUMABLE, Inputs, RunDir
from engine.spec_files import run_of
from engine.specs import KINDS, BenchmarkSpec, Spec, TrainingSpec, TrainSpec, overrides_of, waits_for_people
from engine.trained_on import check_not_trained_on
from storage import curves, queries, queue
from storage.database import Database
from storage.tables import Run

NEEDED_BYTES = 200 << 20  # free disk below which no run is started
Curve = list[tuple[int, float, float]]  # (optimizer step, value, seconds since the epoch)


class Runs:
    """The runs of a workspace; the supervisor starts and watches what is submitted here."""

    def __init__(self, home: Path, database: Database, models: Models, datasets: Datasets) -> None:
        self._home = home
        self._database = database
        self._models = models
        self._datasets = datasets

    def submit(self, spec: Spec, *, after: int | None = None, group: str = "") -> int:
        """Queue a run and return its id; with `after` it waits for that run, and may name its result.

        Raises UserError if a name in the spec is unknown or taken, OutsideFailure on a full disk.
        """
        spec = self._checked(spec, waits=after is not None)
        with self._database.write() as session:
            return self._queue(session, spec, after, group)

    def submit_together(self, specs: Sequence[tuple[Spec, int | None]], group: str) -> Sequence[int]:
        """Queue several runs as a new group, all or none; each may wait for an earlier one, given by its index.

        Raises as `submit`, and UserError if the group is already queued, by another click at the same moment.
        """
        checked = [(self._checked(spec, waits=place is not None), place) for spec, place in specs]
        with self._database.write() as session:
            if queries.runs(session, group=group, limit=1):
                raise UserError(f"{group} was started a moment ago; open that one, or start another")
            ids: list[int] = []
            for spec, place in checked:
                ids.append(self._queue(session, spec, None if place is None else ids[place], group))
            return ids

    def _checked(self, spec: Spec, *, waits: bool) -> Spec:
        """The spec as it is stored. Raises all errors that can be found before the run's name is taken."""
        self._check_disk()
        spec = with_absolute_paths(spec, self._models, self._datasets, self._database)
        if not waits:
            self.inputs(spec)
        check_settings(spec, waits=waits)
        return spec

    def _queue(self, session: Session, spec: Spec, after: int | None, group: str) -> int:
        kind = str(getattr(spec, "kind", ""))
        check_name(session, kind, spec.name)
        run = Run(
            kind=kind,
            name=spec.name,
            state="queued",
            spec=spec.model_dump(mode="json"),
            group=group,
            after=after,
            launcher=spec.launcher.name,
            created_at=time.time(),
        )
        session.add(run)
        session.flush()
        assert run.id is not None
        folders = self._home / "runs"
        if (folders / str(run.id)).exists():  # of a run whose database was lost; `take_in` may list it again
            run.id = 1 + max(number_of(each) for each in folders.iterdir())
            session.flush()
        run.place = run.id
        run.name = run.name or default_name(spec, run.id)
        run.folder = str(folders / str(run.id))
        return run.id

    def inputs(self, spec: Spec) -> Inputs:
        """The models and datasets that the names in a spec refer to now. Raises UserError."""
        if not {"model", "adapter"} & type(spec).model_fields.keys():
            return Inputs()
        reference = getattr(spec, "adapter", None) or getattr(spec, "model", None)
        field = "adapter" if hasattr(spec, "adapter") else "model"
        if is_remote(spec):
            return Inputs(model=Model(str(reference), "endpoint", ""))
        model = self._models.resolve(str(reference or ""), field=field)
        if field == "adapter" and model.kind not in ("adapter", ""):
            raise UserError(f"adapter: {model.name!r} is a {model.kind} model, not an adapter", field="adapter")
        folder, content = "", ""
        if isinstance(spec, TrainingSpec):
            trainer = TRAINERS.create(spec.trainer)
            trainer.check(self._models.nearest(model))
            folder, content = rows_for(trainer, spec, self._datasets)
        if isinstance(spec, BenchmarkSpec):
            check_not_trained_on(model, spec.benchmark)
        measured = self.calibrations() if isinstance(spec, TrainSpec) else {}
        return Inputs(model=model, dataset=folder, dataset_hash=content, calibrations=measured)

    def calibrations(self) -> dict[str, dict[str, float]]:
        """How much trainings differed from the estimate of their memory: of each kind the newest measurement.

        As a run's inputs have it, for `engine.trainers.memory_calibration.read`.
        """
        found: dict[str, dict[str, float]] = {}
        for run in self.rows("measure"):
            if run.state == "done":
                try:
                    told: MeasureResult = results.read("measure", run.result)
                except ValueError:  # stored by an earlier version, which did not check it
                    continue
                found.setdefault(told.key, {"offset": told.offset, "factor": told.factor, "run": run.id or 0})
        return found

    def differences(self, spec: Spec, source: str) -> Sequence[str]:
        """How the inputs of a spec that was read from a run's folder differ from those of that run; else empty.

        Raises OutsideFailure if the inputs of that run cannot be read.
        """
        folder = run_of(source)
        if folder is None:
            return []
        try:
            return differences(folder, self.inputs(spec))
        except OutsideFailure as error:
            raise OutsideFailure(f"{error}, with a copy of its spec.json in another folder") from None

    def get(self, run_id: int) -> RunView:
        """A run as pages show it. Raises UserError on an unknown id."""
        with self._database.read() as session:
            return views_of(session, [find_run(session, run_id)])[0]

    def list(
        self, *, kind: str = "", states: Sequence[str] = (), search: str = "", group: str = "", limit: int = 200
    ) -> Sequence[RunView]:
        """The same of many, newest first; `search`: in their names, kinds and notes."""
        with self._database.read() as session:
            found = queries.runs(session, kind=kind, states=states, search=search, group=group, limit=limit)
            return views_of(session, found)

    def newest(self, kinds: Sequence[str] = (), limit: int = 200) -> Sequence[Standing]:
        """Where the newest runs stand, of these kinds or of all, where no more than that and the name is needed."""
        with self._database.read() as session:
            return queue.newest(session, kinds, limit)

    def waiting(self) -> Sequence[Standing]:
        """The same of the runs that wait for a machine, in the order in which they will be started."""
        with self._database.read() as session:
            return [run for run in queue.standing_in(session, ("queued",)) if not waits_for_people(run.kind)]

    def queued(self) -> Sequence[RunView]:
        """The same runs with all that pages show of them."""
        with self._database.read() as session:
            waiting = [run for run in queries.runs_in(session, ("queued",)) if not waits_for_people(run.kind)]
            return views_of(session, waiting)

    def row(self, run_id: int) -> Run:
        """The row of a run, for this plane. Raises UserError on an unknown id."""
        with self._database.read() as session:
            return find_run(session, run_id)

    def rows(self, kind: str) -> Sequence[Run]:
        """The same of all runs of a kind, newest first."""
        with self._database.read() as session:
            return queries.runs(session, kind=kind)

    def groups(self, prefix: str) -> Sequence[str]:
        """The groups of runs whose name begins with `prefix`, the newest first."""
        with self._database.read() as session:
            return queries.groups(session, prefix)

    def metrics(
        self, run_id: int, first: int = 0, last: int = queries.LARGEST_ID, only: Sequence[str] = ()
    ) -> dict[str, Curve]:
        """Metric name -> its curve from step `first` to `last`; if `only` is not empty, of these metrics.

        So no spike is lost, and a smaller range shows more. The points next to the range come along.
        """
        with self._database.read() as session:
            names = [name for name in sorted(curves.names(session, run_id)) if not only or name in only]
            found = {name: curves.in_sight(session, run_id, name, first, last) for name in names}
        return {name: curve for name, curve in found.items() if curve}

    def last_metrics(self, run_id: int) -> dict[str, float]:
        """Metric name -> its value at the last step that has one."""
        with self._database.read() as session:
            return {metric.name: metric.value for metric in curves.last_values(session, run_id)}

    def warnings(self, run_id: int) -> Sequence[CurveWarning]:
        """What looks wrong in the curves of a training; nothing for any other run."""
        with self._database.read() as session:
            is_training = find_run(session, run_id).kind == TrainSpec.model_fields["kind"].default
            return watching.warnings(session, run_id) if is_training else []

    def panel(self, run_id: int) -> Sequence[PanelStanding]:
        """How the bug panel of a training stands, for each k; nothing for a run without."""
        with self._database.read() as session:
            return watching.panel(session, run_id)

    def log(self, run_id: int, n_bytes: int = 16_000) -> str:
        """The end of the worker's output; hostile text."""
        return end_of(RunDir(Path(self.row(run_id).folder)).log, n_bytes)

    def stop(self, run_id: int, *, now: bool = False) -> None:
        """Have the supervisor stop a run after it has saved its work, or, if `now`, at once and without saving.

        A queued run is stopped at once.
        """
        with self._database.write() as session:
            run = queries.run(session, run_id)
            if run is None or run.state in ENDED:
                return
            ask_to_end(run, now=now)

    def move(self, run_id: int, to: str) -> None:
        """Change the place of a waiting run in the queue, as `order.move`. Raises UserError if it does not wait."""
        with self._database.write() as session:
            move(session, find_run(session, run_id), to)

    def resume(self, run_id: int) -> None:
        """Continue where a run stopped: from its newest complete checkpoint, or with the patches not evaluated yet."""
        check_launcher(self._home, self.row(run_id))
        self._check_disk()
        with self._database.write() as session:
            run = session.get_one(Run, run_id)
            if run.state not in RESUMABLE:
                raise UserError(f"run {run_id} is {run.state}; only stopped, failed or interrupted runs can be resumed")
            check_name(session, run.kind, run.spec.get("name", ""), but=run_id)
            run.result = {**run.result, **so_far(run, time.time())}
            run.state, run.error, run.cause, run.handle = "queued", "", "", ""
            run.progress_done, run.progress_total, run.progress_text = 0, None, ""  # until its new worker reports
            run.started_at = run.stop_asked_at = run.stop_sent_at = run.ended_at = None
            run.stop_now = False

    def free_name(self, kind: str, name: str) -> str:
        """`name`, or if it is taken, with the next free number; empty for a default name."""
        made = KINDS[kind].makes
        if not name or not made or AUTOMATIC_NAME.match(name):
            return "" if AUTOMATIC_NAME.match(name) else name
        taken = {*self._datasets.names()} if made == "dataset" else {entry.name for entry in self._models.list()}
        taken |= {run.name for run in self.list(limit=1000) if KINDS[run.kind].makes == made}
        return next_free(name, taken)

    def command(self, spec: Spec) -> str:
        """The shell command that starts a run with this spec."""
        return self.shell(*spec.verb.split(), set_=overrides_of(spec))

    def shell(self, *words: str, set_: Iterable[str] = ()) -> str:
        """A command of the shell on this home that waits for the end, with one `--set` for each of `set_`."""
        settings = [word for override in set_ for word in ("--set", override)]
        return shlex.join(["repair-studio", *words, *settings, "--home", str(self._home), "--wait"])

    def _check_disk(self) -> None:
        free = shutil.disk_usage(self._home).free
        if free < NEEDED_BYTES:
            raise OutsideFailure(
                f"no disk space: {free >> 20} MiB free in {self._home}, a run needs {NEEDED_BYTES >> 20} MiB; "
                "free some space or choose another --home"
            )


def number_of(folder: Path) -> int:
    """The number of the run whose folder in `runs` this is; 0 if its name is none that a run here gets."""
    name = folder.name
    return int(name) if name.isascii() and name.isdecimal() and len(name) < 10 else 0
