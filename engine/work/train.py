"""Trains a model on a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine import ranks
from engine.errors import UserError
from engine.plugins import TRAINERS
from engine.rundir import Inputs, RunDir
from engine.specs import TrainSpec


def train(spec: TrainSpec, inputs: Inputs, run: RunDir) -> dict[str, Any]:
    """Write an adapter or a model to `run.artifacts / "model"`; returns the final figures. Raises UserError."""
    if inputs.model is None:
        raise UserError("no model was named", field="model")
    if ranks.count() > 1:
        from engine.trainers import together  # torch

        together.join(run)
    trainer = TRAINERS.create(spec.trainer)
    if "bugs" in trainer.accepts:  # which it finds by its own settings
        return dict(trainer.train(inputs.model, run.path, spec.seed, run))
    if not inputs.dataset:
        raise UserError("no dataset was named; build one first", field="dataset")
    if not Path(inputs.dataset).is_dir():
        raise UserError(
            f"dataset: the files of {spec.dataset!r} are no longer in {inputs.dataset}; build it again or choose "
            "another dataset",
            field="dataset",
        )
    return dict(trainer.train(inputs.model, Path(inputs.dataset), spec.seed, run))
