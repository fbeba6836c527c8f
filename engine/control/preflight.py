"""Before a training starts: the memory it will need, and the memory that this machine has."""

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

DEFAULT_TOKENS = 1024  # length of a sample if there is no dataset yet


@dataclass(frozen=True)
class Preflight:
    """An estimate and the memory of this machine, in bytes."""

    estimate: Estimate | None  # None: this trainer cannot estimate
    machine_bytes: int  # of the largest GPU, or main memory
    device: Device
    sample_tokens: int  # the length of a sample that the estimate assumes

    @property
    def fits(self) -> bool:
        return self.estimate is None or self.estimate.total <= self.machine_bytes


def preflight(spec: TrainSpec, models: Models, datasets: Datasets) -> Preflight:
    """Estimate for the longest sample of the dataset.

    Raises UserError if the model's sizes are not known, or model and settings do not fit together.
    """
    model = models.resolve(spec.model)
    trainer = TRAINERS.create(spec.trainer)
    nearest = models.nearest(model)
    trainer.check(nearest)
    if hasattr(trainer, "fitted"):  # an adapter's own rank, where the settings name none
        trainer = TRAINERS.create(trainer.fitted(nearest))
    config = models.config(model)
    try:
        tokens = datasets.get(spec.dataset).max_tokens or DEFAULT_TOKENS
    except UserError:
        tokens = DEFAULT_TOKENS
    cards = gpus()
    device: Device = "cuda" if cards else "cpu"
    have = max((card.memory_bytes for card in cards), default=psutil.virtual_memory().total)
    return Preflight(trainer.estimate(config, tokens, device), have, device, tokens)
