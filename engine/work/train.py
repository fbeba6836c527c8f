"""Trains a model on a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine import ranks
from engine.domain import Model
from engine.errors import UserError
from engine.models.shape import read_config
from engine.plugins import TRAINERS
from engine.rundir import Inputs, RunDir
from engine.specs import TrainSpec
from engine.temporary import folders_of
from engine.trainers import memory_calibration
from engine.trainers.memory_check import check_fits, longest_row

LONGEST = 1 << 31  # tokens: no limit


def train(spec: TrainSpec, inputs: Inputs, run: RunDir) -> dict[str, Any]:
    """Write an adapter or a model to `run.artifacts / "model"`; returns the final figures. Raises UserError.

    DoesNotFit where the memory that is free now is less than the training needs.
    """
    if inputs.model is None:
        raise UserError("no model was named", field="model")
    with folders_of("wandb"):  # transformers imports it where it is installed, and a worker ends at once
        return _train(spec, inputs, inputs.model, run)


def _train(spec: TrainSpec, inputs: Inputs, model: Model, run: RunDir) -> dict[str, Any]:
    if ranks.count() > 1:
        from engine.trainers import together  # torch

        together.join(run)
    trainer = TRAINERS.create(spec.trainer)
    if "bugs" in trainer.accepts:  # which it finds by its own settings
        return dict(trainer.train(model, run.path, spec.seed, run))
    if not inputs.dataset:
        raise UserError("no dataset was named; build one first", field="dataset")
    if not Path(inputs.dataset).is_dir():
        raise UserError(
            f"dataset: the files of {spec.dataset!r} are no longer in {inputs.dataset}; build it again or choose "
            "another dataset",
            field="dataset",
        )
    longest = min(longest_row(Path(inputs.dataset)), context_of(model))
    check_fits(spec.trainer, model, longest, memory_calibration.read(inputs.calibrations))
    return dict(trainer.train(model, Path(inputs.dataset), spec.seed, run))


def context_of(model: Model) -> int:
    """Tokens that the model reads at most; longer rows are left out by the session."""
    try:
        stated = read_config(Path(model.weights)).get("max_position_embeddings")
    except UserError:
        return LONGEST
    return int(stated) if isinstance(stated, int) and stated > 0 else LONGEST
