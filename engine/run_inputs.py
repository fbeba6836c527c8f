"""The inputs of a run, `inputs.json` in its folder: what the names in its spec referred to when it started."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter

from engine.domain import Model


@dataclass(frozen=True)
class Inputs:
    """What the names in a spec referred to at the start, so that the run can be repeated from its folder alone."""

    model: Model | None = None
    dataset: str = ""  # absolute folder of the training set
    dataset_hash: str = ""
    # how much trainings here differed from the estimate of their memory (`engine.trainers.memory_calibration`)
    calibrations: dict[str, dict[str, float]] = field(default_factory=dict)
    # recorded by the worker, on the machine that has the files and does the work (`engine.fingerprint`)
    weights_hash: str = ""  # of the model's own folder
    base_hash: str = ""  # of an adapter's base model
    code_version: str = ""  # this and the next two: at the first start
    versions: dict[str, str] = field(default_factory=dict)  # of Python and of each library
    machine: dict[str, Any] = field(default_factory=dict)
    later_starts: tuple[dict[str, Any], ...] = ()  # `time` of each, and which of these three differed then

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Inputs:
        """Raises TypeError if a field is not known, ValueError if one is of another type than here."""
        model = values.pop("model", None)
        cls(model=Model(**model) if model else None, **values)  # which knows its fields
        return TypeAdapter(cls).validate_python({**values, "model": model or None})
