"""The settings of supervised fine-tuning."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from engine.params import setting
from engine.trainers.step_settings import StepParams
from engine.trainers.watch_settings import WatchParams
from engine.trainers.weight_settings import WeightParams


class SftParams(WatchParams, StepParams, WeightParams):
    """Settings of supervised fine-tuning: which weights, which steps, what is watched, and how rows become batches."""

    name: Literal["sft"] = "sft"
    packing: bool = setting(False, "fill each row with several samples instead of padding", more=True)
    group_by_length: bool = setting(False, "batches of samples of similar length: less padding", more=True)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.method == "qlora" and self.precision == "fp16":
            raise ValueError("qlora computes in bf16 or fp32; set precision to auto")
        if self.packing and self.group_by_length:
            raise ValueError("packing has no padding that group_by_length could save; switch one of them off")
        return self
