"""The names of models and datasets in a spec as the absolute folders that a worker needs."""

from __future__ import annotations

from typing import Any

from engine.control.datasets import Datasets
from engine.control.lookup import find_run
from engine.control.models import Models
from engine.errors import UserError
from engine.params import Params, naming, place, weighted
from engine.plugins import GENERATORS
from engine.rundir import RunDir
from engine.specs import DatasetSpec, Spec
from storage.database import Database


def with_absolute_paths(spec: Spec, models: Models, datasets: Datasets, database: Database) -> Spec:
    """The spec with absolute paths where it names folders: the worker has another working directory.

    Names of models and datasets stay, but for those in a builder's settings. Raises UserError on an unknown one there.
    """
    known = {"model": models.names, "adapter": models.names, "dataset": datasets.names}
    folders: dict[str, Any] = {
        field: str(place(reference, field=field).absolute())
        for field, names in known.items()
        if (reference := getattr(spec, field, ""))
        and reference not in names()
        and place(reference, field=field).is_dir()
    }
    if isinstance(spec, DatasetSpec):
        folders |= {"builder": _with_folders(spec.builder, datasets, database)}
    return spec.model_copy(update=folders)


def _with_folders(builder: Params, datasets: Datasets, database: Database) -> Params:
    """The settings of a builder with the folders of the datasets and runs that it names."""
    found = {}
    for name in naming("datasets", type(builder)):
        named = [weighted(text) for text in getattr(builder, name)]
        folders = [(datasets.resolve(each)[0], weight) for each, weight in named]
        found[name] = tuple(text if weight is None else f"{text}={weight:g}" for text, weight in folders)
    for name in naming("runs", type(builder)):
        found[name] = tuple(_folder_of_run(text, name, database) for text in getattr(builder, name))
    return builder.model_copy(update=found)


def _folder_of_run(reference: str, name: str, database: Database) -> str:
    """The folder of a run by its number, also with its name behind it ("6: demo"), or by its folder.

    Raises UserError if there is none.
    """
    number = reference.partition(":")[0].strip()
    if number.isascii() and number.isdecimal():
        with database.read() as session:
            return find_run(session, int(number)).folder
    folder = place(reference, field=f"builder.{name}").absolute()
    if not RunDir(folder).is_complete:
        raise UserError(
            f"{name}: there is no run {reference!r}; name runs by their numbers, which `repair-studio runs list` tells",
            field=f"builder.{name}",
        )
    return str(folder)


def is_remote(spec: Spec) -> bool:
    """Whether the spec's model is that of a remote service, without files on this machine."""
    chosen = getattr(spec, "generator", None)
    return isinstance(chosen, Params) and bool(GENERATORS.create(chosen).is_remote)
