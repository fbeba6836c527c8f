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
        if self.offload and self.method in ("full", "last_layers"):
            raise ValueError(
                f"offload keeps frozen weights in main memory, and {self.method} trains them; choose lora or qlora"
            )
        return self
