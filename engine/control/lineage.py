"""How a model came to be: what each training continued from and learned, and what was merged, down to a base model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.control.models import Entry, Models
from storage import queries
from storage.database import Database


@dataclass(frozen=True)
class Stage:
    """One model on the way; `run_id` made it, from `dataset` if that was a training."""

    name: str
    kind: str  # as in `engine.domain.Model`; empty: it is not in this workspace, only its name is known
    run_id: int | None = None
    dataset: str = ""

    @property
    def words(self) -> str:
        """Its name, with what made it."""
        made = [f"run {self.run_id}"] if self.run_id else []
        made += [f"dataset {self.dataset}"] if self.dataset else []
        return f"{self.name} ({', '.join(made)})" if made else self.name


def lineage(models: Models, database: Database, name: str) -> Sequence[Stage]:
    """The model called so, then what each one was made from, to the last that is known."""
    entries = models.list()
    known = {entry.path: entry for entry in reversed(entries)} | {entry.name: entry for entry in reversed(entries)}
    stages: list[Stage] = []
    reference = name
    while reference and reference not in [stage.name for stage in stages]:
        entry = known.get(reference, Entry(reference, "", reference))
        spec = _spec_of(database, entry)
        stages.append(Stage(entry.name, entry.kind, entry.run_id, str(spec.get("dataset") or "")))
        reference = str(spec.get("adapter") or spec.get("model") or entry.base)
    return stages


def _spec_of(database: Database, entry: Entry) -> dict[str, object]:
    if entry.run_id is None:
        return {}
    with database.read() as session:
        run = queries.run(session, entry.run_id)
    return dict(run.spec) if run else {}
