"""Before a training starts: what it will need, against what this machine has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

import psutil

from engine.control.datasets import Datasets
from engine.control.models import Models
from engine.errors import UserError
from engine.gpus import gpus
from engine.plugins import TRAINERS
from engine.specs import TrainSpec
from engine.trainers.memory_estimate import Estimate, estimate
from engine.trainers.sft import Sft

MODEST_TOKENS = 1024  # length of a sample where no data set says better


@dataclass(frozen=True)
class Preflight:
    """An estimate and what it is held against; bytes."""

    estimate: Estimate
    machine_bytes: int  # of the largest GPU, or main memory
    device: str  # "cuda" | "cpu"
    sample_tokens: int  # length the estimate reckons with

    @property
    def fits(self) -> bool:
        return self.estimate.total <= self.machine_bytes


def preflight(spec: TrainSpec, models: Models, datasets: Datasets) -> Preflight:
    """Reckon with the longest sample of the data set.

    Raises UserError where the model's sizes are not known, or model and settings do not fit.
    """
    model = models.resolve(spec.model)
    TRAINERS.create(spec.trainer).check(models.nearest(model))
    config = models.config(model)
    try:
        tokens = int(datasets.get(spec.dataset).report.get("max_tokens") or MODEST_TOKENS)
    except UserError:
        tokens = MODEST_TOKENS
    cards = gpus()
    device: Literal["cuda", "cpu"] = "cuda" if cards else "cpu"
    have = max((card.memory_bytes for card in cards), default=psutil.virtual_memory().total)
    params = cast("Sft.Params", spec.trainer)
    return Preflight(estimate(config, params, tokens, device), have, device, tokens)
