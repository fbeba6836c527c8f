"""The names of models and datasets in a spec as the absolute folders that a worker needs."""

from __future__ import annotations

from typing import Any

from engine.control.datasets import Datasets
from engine.control.models import Models
from engine.params import Params, place, takes_datasets, weighted
from engine.specs import DatasetSpec, Spec


def with_absolute_paths(spec: Spec, models: Models, datasets: Datasets) -> Spec:
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
        folders |= {"builder": _with_folders(spec.builder, datasets)}
    return spec.model_copy(update=folders)


def _with_folders(builder: Params, datasets: Datasets) -> Params:
    """The settings of a builder with the folders of the datasets that it names."""
    found = {}
    for name in takes_datasets(type(builder)):
        named = [weighted(text) for text in getattr(builder, name)]
        folders = [(datasets.resolve(each)[0], weight) for each, weight in named]
        found[name] = tuple(text if weight is None else f"{text}={weight:g}" for text, weight in folders)
    return builder.model_copy(update=found)
