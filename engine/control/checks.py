"""What can be found wrong with a spec before its run is queued."""

from __future__ import annotations

from pathlib import Path

from engine.errors import UserError
from engine.params import Params
from engine.plugins import BENCHMARKS, BUILDERS, LAUNCHERS
from engine.specs import BenchmarkSpec, ChatSpec, DatasetSpec, MergeSpec, Spec, ValidateSpec


def check_plugins(spec: Spec) -> None:
    """Let the spec's plug-ins check their settings. Raises UserError if something that they need is missing."""
    LAUNCHERS.create(spec.launcher).needs()
    if isinstance(spec, DatasetSpec):
        BUILDERS.create(spec.builder).check()
        _check_dataset(spec)
    if isinstance(spec, BenchmarkSpec | ChatSpec | MergeSpec | ValidateSpec):
        BENCHMARKS.create(spec.benchmark).check()
    if isinstance(spec, ValidateSpec) and spec.file and not Path(spec.file).is_file():
        raise UserError(f"file: there is no file {spec.file}", field="file")


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
