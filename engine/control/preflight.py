"""Before a training starts: what it will need, against what this machine has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import psutil

from engine.control.datasets import Datasets
from engine.control.models import Models
from engine.errors import UserError
from engine.machine import gpus
from engine.memory_estimate import Estimate, estimate, read_config
from engine.specs import TrainSpec
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
    """Reckon with the longest sample of the data set. Raises UserError where the model's sizes are not known."""
    folder = Path(models.resolve(spec.model).weights)
    if not folder.is_dir():
        raise UserError(f"model: {spec.model!r} is not on this machine yet, so its memory cannot be estimated")
    try:
        tokens = int(datasets.get(spec.dataset).report.get("max_tokens") or MODEST_TOKENS)
    except UserError:
        tokens = MODEST_TOKENS
    cards = gpus()
    device: Literal["cuda", "cpu"] = "cuda" if cards else "cpu"
    have = max((card.memory_bytes for card in cards), default=psutil.virtual_memory().total)
    params = cast("Sft.Params", spec.trainer)
    return Preflight(estimate(read_config(folder), params, tokens, device), have, device, tokens)
