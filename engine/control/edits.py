"""What a user changes on a run in the list: its name, with that of its result, its note, and whether it is kept."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlmodel import Session

from engine.control.elsewhere import remove_elsewhere
from engine.control.lookup import find_run
from engine.control.names import check_name
from engine.control.polls import launcher_of, shards_of
from engine.control.views import RunView
from engine.errors import OutsideFailure, UserError
from engine.params import is_unicode
from engine.rundir import ENDED, RunDir
from engine.specs import KINDS, parse
from storage import queries
from storage.database import Database
from storage.removal import remove_run
from storage.tables import Dataset, Model, Run

MOST_NOTE = 2000  # characters
MOST_RUNS = 10_000  # newest ones that are looked through
NAMING = {"model": ("model", "adapter"), "dataset": ("dataset",)}  # what a run made -> the settings that name it


class Edits:
    """Renames, annotates and deletes runs."""

    def __init__(self, home: Path, database: Database) -> None:
        self._home = home
        self._database = database

    def rename(self, run_id: int, name: str) -> None:
        """Give a run another name, and its dataset or model too; runs that have ended then name it so.

        Raises UserError on a name that is taken or cannot be one, while the run has not ended and others may wait for
        its result, or while a run that has not ended uses it.
        """
        with self._database.write() as session:
            run = find_run(session, run_id)
            if not name.strip():
                raise UserError("name: is empty, enter a name", field="name")
            if name == run.name:
                return
            spec = parse({**run.spec, "name": name})
            made = KINDS[run.kind].makes if run.kind in KINDS else ""
            if made and run.state not in ENDED:
                raise UserError(
                    f"run {run_id} is {run.state}; a run that makes a {made} can be renamed when it has ended"
                )
            check_name(session, run.kind, name, but=run_id)
            users = self._users(session, run)
            _refuse_active(users, f"run {run_id} ({run.name})")
            if result := _result(session, run):
                for user in users:
                    user.spec = _renamed(user.spec, NAMING[made], result.name, name)
                queries.rename_in_conversations(session, result.name, name)
                result.name = name
            run.name, run.spec = name, spec.model_dump(mode="json")

    def annotate(self, run_id: int, note: str) -> None:
        """Replace the note of a run. Raises UserError if it is too long, or cannot be shown."""
        if not is_unicode(note):
            raise UserError("note: is not valid Unicode, so no page can show it; write it anew", field="note")
        if len(note) > MOST_NOTE:
            raise UserError(f"note: has {len(note):,} characters; at most {MOST_NOTE:,} can be stored", field="note")
        with self._database.write() as session:
            find_run(session, run_id).note = note.strip()

    def users(self, run_id: int) -> Sequence[RunView]:
        """The runs that use what a run made, newest first."""
        with self._database.read() as session:
            return [RunView.of(run) for run in self._users(session, find_run(session, run_id))]

    def delete(self, run_id: int) -> None:
        """Remove a run, what it made, and its folder; runs that used its result keep theirs.

        Raises UserError while it, or a run that uses its result, has not ended, if it made the base of an adapter, and
        if shards of it that go on elsewhere cannot be ended.
        """
        with self._database.read() as session:
            run = self._deletable(session, run_id)
        folder = Path(run.folder)
        is_ours = folder.resolve().is_relative_to((self._home / "runs").resolve())
        if is_ours and shards_of(run) > 1:
            _end_shards(run, RunDir(folder))
        with self._database.write() as session:
            self._deletable(session, run_id)  # it may have been resumed meanwhile
            remove_run(session, run_id)
        if is_ours:
            remove_elsewhere(run)
            shutil.rmtree(folder, ignore_errors=True)

    def _deletable(self, session: Session, run_id: int) -> Run:
        """Raises UserError if it cannot be deleted."""
        run = find_run(session, run_id)
        if run.state not in ENDED:
            raise UserError(f"run {run_id} is {run.state}; stop it first")
        _refuse_active(self._users(session, run), f"run {run_id} ({run.name})")
        folder = Path(run.folder)
        for model in queries.models(session):
            if model.run_id != run_id and model.base and Path(model.base).is_relative_to(folder):
                raise UserError(
                    f"run {run_id} made the base model of {model.name!r}, which cannot be loaded without it; "
                    f"delete run {model.run_id} first"
                )
        return run

    def _users(self, session: Session, run: Run) -> Sequence[Run]:
        """The runs whose specs name the result of this one, or its folder."""
        result = _result(session, run)
        made = KINDS[run.kind].makes if run.kind in KINDS else ""
        name = result.name if result else run.name
        fields = NAMING.get(made, ())
        return [
            each
            for each in queries.runs(session, limit=MOST_RUNS)
            if each.id != run.id
            and (name in [each.spec.get(field) for field in fields] or any(_is_in(run.folder, each.spec)))
        ]


def _end_shards(run: Run, folder: RunDir) -> None:
    """Those that went on when their leading worker was killed. Raises UserError if they cannot be reached."""
    with suppress(OutsideFailure):
        if folder.handles():
            try:
                launcher_of(run).stop(run.handle, folder.path, force=True)
            except OSError as error:
                raise UserError(
                    f"run {run.id} has workers elsewhere, which would go on: {error}; delete it when they can be "
                    f"reached, or have the studio forget them: delete {folder.handles_path}"
                ) from None


def _result(session: Session, run: Run) -> Dataset | Model | None:
    return queries.dataset_of(session, run.id or 0) or queries.model_of(session, run.id or 0)


def _is_in(folder: str, values: Any) -> Iterator[bool]:
    """True for each text in a spec that names this folder, or something in it."""
    if isinstance(values, dict | list):
        for each in values.values() if isinstance(values, dict) else values:
            yield from _is_in(folder, each)
    elif isinstance(values, str) and folder and (values == folder or values.startswith((f"{folder}/", f"{folder}="))):
        yield True


def _renamed(spec: dict[str, Any], fields: Sequence[str], old: str, new: str) -> dict[str, Any]:
    return {**spec, **{field: new for field in fields if spec.get(field) == old}}


def _refuse_active(users: Sequence[Run], what: str) -> None:
    waiting = [each for each in users if each.state not in ENDED]
    if waiting:
        raise UserError(
            f"{what} is used by run {waiting[0].id} ({waiting[0].name}), which has not ended; stop it first"
        )
