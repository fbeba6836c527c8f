"""The settings of supervised fine-tuning."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from engine.params import setting
from engine.trainers.training_settings import TrainingParams

PACKED_TOKENS = 1024  # that a packed row holds, or more where a sample is longer


class SftParams(TrainingParams):
    """Settings of supervised fine-tuning: which weights, which steps, what is watched, and how rows become batches."""

    name: Literal["sft"] = "sft"
    packing: bool = setting(False, "fill each row with several samples instead of padding", more=True)
    group_by_length: bool = setting(False, "batches of samples of similar length: less padding", more=True)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.packing and self.group_by_length:
            raise ValueError("packing has no padding that group_by_length could save; switch one of them off")
        return self
