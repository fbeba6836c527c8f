"""The settings that all trainers of a model's own weights have in common."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from engine.trainers.memory_settings import MemoryParams
from engine.trainers.step_settings import StepParams
from engine.trainers.watch_settings import WatchParams
from engine.trainers.weight_settings import WeightParams


class TrainingParams(MemoryParams, WatchParams, StepParams, WeightParams):
    """Which weights are trained, in which steps, what is watched, and the memory that all of it may take."""

    @model_validator(mode="after")
    def _precision_fits(self) -> Self:
        if self.method == "qlora" and self.precision == "fp16":
            raise ValueError("qlora computes in bf16 or fp32; set precision to auto")
        if self.offload and not (self.method == "qlora" or self.base_bits == 8):
            raise ValueError(
                f"offload needs a base in 4 or 8 bits (got {self.method} on {self.base_bits} bits); choose qlora, or "
                "set base_bits to 8"
            )
        return self
