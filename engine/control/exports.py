"""A benchmark run as a file, in one of the formats of `engine.exchange`, which is written as the run is read."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile
from threading import Event

from sqlmodel import Session

from engine.attempts import strategy_of
from engine.control.exported import exported
from engine.control.lookup import find_run
from engine.control.names import plugin_of
from engine.errors import UserError
from engine.exchange.exported import Form
from engine.exchange.forms import FORMS
from engine.rundir import ENDED
from engine.specs import WITH_PATCHES
from storage import benchmarks
from storage.database import Database
from storage.tables import Run

DOWNLOADS = "downloads"  # folder of the files that are being sent to browsers
DAY_S = 86_400


class GivenUp(Exception):
    """Nobody waits for the file any more."""


def forms_of(run: Run) -> list[Form]:
    """The formats that a run can be written in now, in the order of their table."""
    return [form for form in FORMS.values() if not _misfit(run, form)]


def _misfit(run: Run, form: Form) -> str:
    """Why a run cannot be written in a format now; empty if it can."""
    benchmark = plugin_of(run.spec, "benchmark")
    if form.benchmarks and benchmark not in form.benchmarks:
        return f"{form.name} is for runs of {' and '.join(form.benchmarks)}, and run {run.id} is one of {benchmark}"
    if form.is_of_draws and (strategy := strategy_of(run.spec)):
        return (
            f"{form.name} is read as draws from one prompt, and the patches of run {run.id} are attempts that depend "
            f"on each other ({strategy}); csv and jsonl have them with their numbers"
        )
    return (
        f"run {run.id} has not ended; {form.name} is for whole runs"
        if form.is_of_whole and run.state not in ENDED
        else ""
    )


def export(database: Database, folder: Path, run_id: int, form: str, given_up: Event | None = None) -> Path:
    """Write a run to a file in `folder`, which is complete or does not exist; returns its path.

    Raises UserError on another form, or if the run has no patches; GivenUp, soon after `given_up` was set. With
    `given_up`, the file has a name of its own, and its reader removes it.
    """
    if form not in FORMS:
        raise UserError(f"format: should be one of {', '.join(FORMS)} (got {form!r})")
    chosen = FORMS[form]
    with database.read() as session:
        run = _benchmark(session, run_id)
        if misfit := _misfit(run, chosen):
            raise UserError(f"format: {misfit}")
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / file_name(run_id, form)
        # a temporary name: the same run may be exported twice at once
        with NamedTemporaryFile("w+b", dir=folder, suffix=".tmp", delete=False) as file:
            try:
                chosen.write(exported(session, run, partial(_check, given_up)), file)  # type: ignore[arg-type]
                file.close()
                path = path if given_up is None else Path(file.name).with_suffix(chosen.ending)
                Path(file.name).replace(path)
            finally:
                Path(file.name).unlink(missing_ok=True)
    return path


def file_name(run_id: int, form: str) -> str:
    """What the file of an export is called; formats with the same ending have their name in it."""
    chosen = FORMS[form]
    is_plain = chosen.ending == f".{form}" or sum(each.ending == chosen.ending for each in FORMS.values()) == 1
    return f"run-{run_id}{'' if is_plain else f'.{form}'}{chosen.ending}"


def _benchmark(session: Session, run_id: int) -> Run:
    run = find_run(session, run_id)
    if run.kind not in WITH_PATCHES:
        raise UserError(f"run {run_id} ({run.name}) is a {run.kind} run, which has no patches")
    if not benchmarks.has_patches(session, run_id):
        has_ended = run.state in ENDED
        words = f"no patches: it is {run.state}" if has_ended else "no patches yet; wait for its first verdicts"
        raise UserError(f"run {run_id} has {words}")
    return run


def _check(given_up: Event | None) -> None:
    if given_up is not None and given_up.is_set():
        raise GivenUp


def tidy(folder: Path) -> None:
    """Remove what a process that was killed left half written or half sent; call it before anything is served."""
    long_ago = time.time() - DAY_S  # a shell may be writing just now, but no export takes a day
    unfinished = [path for path in folder.glob("*.tmp") if path.stat().st_mtime < long_ago]
    for path in [*unfinished, *(folder / DOWNLOADS).glob("*")]:
        path.unlink(missing_ok=True)
