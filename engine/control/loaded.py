"""Which loaded model answers a conversation: the same one, or another adapter on the same base model in its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.control.runs import Runs
from engine.domain import Model
from engine.errors import UserError
from engine.plugins import GENERATORS
from engine.rundir import ENDED
from engine.specs import ChatSpec, parse
from storage import queries
from storage.database import Database
from storage.tables import Run

UNLOADED = (*ENDED, "stopping")  # states of a worker that takes no more questions
PER_QUESTION = (  # settings that each question may change
    "benchmark", "strategy", "representation", "generator", *ChatSpec.limits,
)  # fmt: skip


def worker_for(spec: ChatSpec, runs: Runs, database: Database) -> int | None:
    """The id of a live worker that can answer with this model and these settings; None if there is none.

    One with the same model comes first. Raises UserError if there is no such model.
    """
    live = [run for run in runs.rows("chat") if run.state not in UNLOADED and _is_ours(run, database)]
    wanted = _fixed(spec.model_dump(mode="json"))
    alike = [run for run in live if _fixed(run.spec) == wanted]
    same = [run for run in alike if run.spec["model"] == spec.model]
    return _first(same or (_on_the_same_base(spec, alike, runs) if alike else []))


def own_settings(spec: ChatSpec) -> dict[str, Any]:
    """The settings with which a conversation goes on."""
    return {place: value for place, value in spec.model_dump(mode="json").items() if place in PER_QUESTION}


def other_model(run: Run, spec: ChatSpec, runs: Runs) -> dict[str, Any]:
    """What a question says of its model where that is not the worker's own. Raises UserError if it is gone."""
    if run.spec["model"] == spec.model:
        return {}
    model = runs.inputs(spec).model
    assert model is not None, "a chat has a model"
    return {"model": spec.model, "loaded": asdict(model)}


def other_settings(run: Run, spec: ChatSpec) -> dict[str, Any]:
    """What a question says of its settings where they are not the worker's own."""
    wanted = spec.model_dump(mode="json")
    changed = {place: wanted[place] for place in PER_QUESTION if wanted[place] != run.spec.get(place)}
    return {"settings": changed} if changed else {}


def _on_the_same_base(spec: ChatSpec, alike: Sequence[Run], runs: Runs) -> list[Run]:
    wanted = runs.inputs(spec).model
    return [run for run in alike if _share_a_base(wanted, _model_of(run, runs))]


def _model_of(run: Run, runs: Runs) -> Model | None:
    """The model of a worker; None if its folder is gone, which is of no matter to other models."""
    try:
        return runs.inputs(parse(run.spec)).model
    except UserError:
        return None


def _share_a_base(one: Model | None, other: Model | None) -> bool:
    """Whether both are on this machine, and one can take the place of the other on its base model."""
    if one is None or other is None or not one.path or one.weights != other.weights:
        return False
    return all(Path(folder).is_dir() for folder in (one.weights, one.path, other.path))


def _fixed(spec: dict[str, Any]) -> dict[str, Any]:
    """The settings that a loaded model cannot change: all but those of a question, and where its weights are."""
    generator = spec.get("generator") or {}
    loads = getattr(GENERATORS.plugin(generator["name"]), "loads", tuple(generator)) if generator else ()
    kept = {key: value for key, value in spec.items() if key not in (*PER_QUESTION, "bug", "name", "model")}
    return kept | {"weights": {key: generator[key] for key in loads if key in generator}}


def _is_ours(run: Run, database: Database) -> bool:
    """Whether a number in its folder is that of a conversation here: in one of another home it may be another's."""
    with database.read() as session:
        return not queries.has_other_numbers(session, run.id or 0)


def _first(found: Sequence[Run]) -> int | None:
    return found[0].id if found else None
