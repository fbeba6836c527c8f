"""The inputs of a run, `inputs.json` in its folder: what the names in its spec referred to when it started."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import TypeAdapter

from engine.domain import Model

T = TypeVar("T")


@dataclass(frozen=True)
class Part:
    """Which part of a run's work a worker does: the `number`th of `count`, from 1; by default all of it."""

    number: int = 1
    count: int = 1

    def of(self, whole: Sequence[T]) -> list[T]:
        """Every `count`th, so that all parts have as much to do if what is next to each other is alike."""
        return list(whole[self.number - 1 :: self.count])

    @property
    def is_all(self) -> bool:
        return self.count == 1


@dataclass(frozen=True)
class Inputs:
    """What the names in a spec referred to at the start, so that the run can be repeated from its folder alone."""

    model: Model | None = None
    dataset: str = ""  # absolute folder of the training set
    dataset_hash: str = ""
    # how much trainings here differed from the estimate of their memory (`engine.trainers.memory_calibration`)
    calibrations: dict[str, dict[str, float]] = field(default_factory=dict)
    part: Part = Part()  # of a shard (`engine.work.lead`)
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
