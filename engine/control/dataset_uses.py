"""Which runs read a dataset, and its removal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlmodel import Session

from engine.errors import UserError
from engine.params import naming, weighted
from engine.plugins import BUILDERS
from engine.rundir import ENDED
from storage import queries
from storage.tables import Dataset, Run

MOST_RUNS = 10_000  # newest ones that are looked through
READERS = ("train", "dataset")  # kinds of run that read datasets


def runs_with(session: Session, dataset: Dataset) -> Sequence[Run]:
    """The runs whose spec names this dataset, newest first."""
    names = {dataset.name, dataset.folder}
    found = queries.runs(session, kinds=READERS, limit=MOST_RUNS)
    return [run for run in found if names & set(_named(run))]


def _named(run: Run) -> list[str]:
    """The datasets of a training, and those that the builder of a dataset names."""
    if run.kind == "train":
        return [str(run.spec.get("dataset", ""))]
    builder = run.spec.get("builder")
    if not isinstance(builder, dict):
        return []
    values = [builder.get(name) for name in _settings_of(builder)]
    texts = [text for value in values for text in (value if isinstance(value, list) else [value])]
    return [weighted(text)[0] for text in texts if isinstance(text, str)]


def _settings_of(builder: Mapping[str, Any]) -> Iterable[str]:
    """The settings of a builder that name datasets; where it is no longer installed, any may."""
    try:
        return naming("datasets", BUILDERS.plugin(str(builder.get("name"))).Params)
    except UserError:
        return builder


def forget(session: Session, dataset: Dataset, home: Path) -> Path | None:
    """Remove its row, and return the folder that is then to be removed; None if that is not in this home.

    Raises UserError if a run that has not ended needs it.
    """
    waiting = [run for run in runs_with(session, dataset) if run.state not in ENDED]
    if waiting:
        raise UserError(
            f"dataset: {dataset.name!r} is used by run {waiting[0].id} ({waiting[0].name}), which has not ended; "
            "stop it first",
            field="dataset",
        )
    session.delete(session.get_one(Dataset, dataset.id))
    folder = Path(dataset.folder).resolve()
    return folder if folder.is_relative_to((home / "runs").resolve()) else None
