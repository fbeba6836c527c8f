"""How many optimizer steps a training has, and when it evaluates and saves; torch is not needed to count them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.trainers.training_settings import TrainingParams


@dataclass(frozen=True)
class Plan:
    """The number of optimizer steps, and the steps between evaluations and between checkpoints."""

    steps: int
    steps_per_epoch: int
    eval_every: int
    save_every: int

    @classmethod
    def of(cls, params: TrainingParams, rows: int) -> Plan:
        per_step = params.batch_size * params.accumulation
        per_epoch = math.ceil(rows / per_step)
        steps = params.max_steps or math.ceil(rows * params.epochs / per_step)
        return cls(steps, per_epoch, params.eval_steps or per_epoch, params.save_steps or per_epoch)
