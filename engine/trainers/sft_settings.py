"""The settings of supervised fine-tuning."""

from __future__ import annotations

from typing import Literal

from engine.trainers.speed_settings import SpeedParams
from engine.trainers.training_settings import TrainingParams


class SftParams(SpeedParams, TrainingParams):
    """Settings of supervised fine-tuning: which weights, which steps, what is watched, and how rows become batches."""

    name: Literal["sft"] = "sft"
