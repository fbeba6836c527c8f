"""What is checked before a run is queued, without loading anything: its plug-ins' settings, its dataset's rows."""

from __future__ import annotations

from pathlib import Path

from engine.control.datasets import Datasets
from engine.errors import UserError
from engine.launchers import Launcher
from engine.launchers.leading import Leading
from engine.launchers.priced import currency_of
from engine.params import Params, naming, shown
from engine.plugins import BENCHMARKS, BUILDERS, LAUNCHERS, TRAINERS
from engine.specs import (
    BenchmarkSpec,
    ChatSpec,
    DatasetSpec,
    MeasureSpec,
    MergeSpec,
    Spec,
    SplitSpec,
    TrainingSpec,
    ValidateSpec,
)
from engine.trainers import Trainer
from engine.training_set import rows_in


def check_settings(spec: Spec, *, waits: bool) -> None:
    """Let the spec's plug-ins check their settings. Raises UserError if something that they need is missing.

    `waits`: for another run. A builder that reads runs may then name that one, and only its worker can look into it.
    """
    launcher: Launcher = LAUNCHERS.create(spec.launcher)
    if isinstance(spec, SplitSpec) and spec.shards > 1:
        launcher = Leading(launcher, spec.shards)
    launcher.check(spec)
    launcher.needs()
    _check_currencies(spec)
    if isinstance(spec, DatasetSpec):
        if not (waits and naming("runs", type(spec.builder))):
            BUILDERS.create(spec.builder).check()
        _check_dataset(spec)
    if isinstance(spec, BenchmarkSpec | ChatSpec | MergeSpec | ValidateSpec):
        BENCHMARKS.create(spec.benchmark).check()
    if isinstance(spec, MeasureSpec) and "bugs" in TRAINERS.create(spec.trainer).accepts:
        raise UserError(
            f"trainer: {spec.trainer.name} has no rows whose lengths are known before, so its memory cannot be "
            "measured; measure sft with the same batch",
            field="trainer",
        )
    if isinstance(spec, ValidateSpec) and spec.file and not Path(spec.file).is_file():
        raise UserError(f"file: there is no file {spec.file}", field="file")


def _check_currencies(spec: Spec) -> None:
    """What a run costs is one sum."""
    named = {"launcher": currency_of(spec.launcher), "generator": currency_of(getattr(spec, "generator", None))}
    if all(named.values()) and len(set(named.values())) > 1:
        raise UserError(
            f"launcher.currency: is {shown(named['launcher'])}, and generator.currency {shown(named['generator'])}; "
            "give all prices of a run in one currency",
            field="launcher.currency",
        )


def rows_for(trainer: Trainer, spec: TrainingSpec, datasets: Datasets) -> tuple[str, str]:
    """(folder, content hash) of what a trainer learns from; empty where it finds its bugs itself. Raises UserError."""
    if "bugs" in trainer.accepts:
        if spec.dataset:
            raise UserError(
                f"dataset: {spec.trainer.name} learns from bugs with tests, which its own settings name, and not from "
                f"{spec.dataset!r}; leave the dataset empty",
                field="dataset",
            )
        return "", ""
    folder, content = datasets.resolve(spec.dataset)
    if (held := rows_in(Path(folder))) not in trainer.accepts:
        wanted = " or ".join(sorted(trainer.accepts))
        raise UserError(
            f"dataset: {spec.dataset!r} contains {held}, but {spec.trainer.name} learns from {wanted}; choose another "
            "dataset or another trainer",
            field="dataset",
        )
    return folder, content


def _check_dataset(spec: DatasetSpec) -> None:
    for field, named in (("exclude", spec.exclude), ("compare", spec.compare)):
        for each in named:
            _check_compared(field, BENCHMARKS.params(each))
    if spec.expected and not Path(spec.expected).is_file():
        raise UserError(f"expected: there is no file {spec.expected}", field="expected")
    if spec.split == "first" and spec.valid_rows is None:
        raise UserError(
            "valid_rows: is empty; with split=first, enter how many of the first samples are for evaluation",
            field="valid_rows",
        )


def _check_compared(field: str, params: Params) -> None:
    try:
        BENCHMARKS.create(params).check()
    except UserError as error:
        settings = ", ".join(f'"{name}": ...' for name in type(params).model_fields if name != "name")
        how = f'in a shell or in JSON: {{"name": "{params.name}", {settings}}}'
        raise UserError(f"{field}: {params.name}: {error}; with its settings, {how}", field=field) from None
