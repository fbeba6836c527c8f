"""Before a training starts: what it will need, against what this machine has."""

from __future__ import annotations

from dataclasses import dataclass

import psutil

from engine.control.datasets import Datasets
from engine.control.models import Models
from engine.errors import UserError
from engine.gpus import gpus
from engine.plugins import TRAINERS
from engine.specs import TrainSpec
from engine.trainers import Device, Estimate

MODEST_TOKENS = 1024  # length of a sample where no dataset says better


@dataclass(frozen=True)
class Preflight:
    """An estimate and what it is held against; bytes."""

    estimate: Estimate | None  # None: this trainer cannot tell
    machine_bytes: int  # of the largest GPU, or main memory
    device: Device
    sample_tokens: int  # the length of a sample that is reckoned with

    @property
    def fits(self) -> bool:
        return self.estimate is None or self.estimate.total <= self.machine_bytes


def preflight(spec: TrainSpec, models: Models, datasets: Datasets) -> Preflight:
    """Reckon with the longest sample of the dataset.

    Raises UserError where the model's sizes are not known, or model and settings do not fit.
    """
    model = models.resolve(spec.model)
    trainer = TRAINERS.create(spec.trainer)
    trainer.check(models.nearest(model))
    config = models.config(model)
    try:
        tokens = int(datasets.get(spec.dataset).report.get("max_tokens") or MODEST_TOKENS)
    except UserError:
        tokens = MODEST_TOKENS
    cards = gpus()
    device: Device = "cuda" if cards else "cpu"
    have = max((card.memory_bytes for card in cards), default=psutil.virtual_memory().total)
    return Preflight(trainer.estimate(config, tokens, device), have, device, tokens)
