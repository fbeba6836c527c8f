"""The checkpoint with the lowest evaluation loss: it is saved when it is found, kept, and may become the model."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from engine.errors import OutsideFailure
from engine.trainers import checkpoint

OF_TRAINING = ("*.pt", "*.pth", "*.bin", "trainer_state.json", "README.md", checkpoint.SEAL)  # of a checkpoint's files


@dataclass(frozen=True)
class Best:
    """The evaluation with the lowest loss so far."""

    step: int
    loss: float
    since: int  # evaluations after it


def best_of(history: Sequence[dict[str, Any]]) -> Best | None:
    """The best of a trainer's log, which a checkpoint holds too; the first of equal ones, None if there is none."""
    evaluations = [(entry["eval_loss"], int(entry["step"])) for entry in history if "eval_loss" in entry]
    if not evaluations:
        return None
    place = min(range(len(evaluations)), key=lambda at: evaluations[at][0])
    loss, step = evaluations[place]
    return Best(step, loss, len(evaluations) - 1 - place)


class BestKept(TrainerCallback):  # type: ignore[misc]
    """Saves a checkpoint at each evaluation that is the best so far, and may end the training when none is."""

    def __init__(self, patience: int | None) -> None:
        """`patience`: evaluations in a row without a lower loss after which the training ends; None: it does not."""
        self.patience = patience

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        best = best_of(state.log_history)
        if best is None:
            return
        control.should_save |= best.step == state.global_step
        if self.patience is not None and best.since >= self.patience:
            control.should_training_stop = True


def copy_model(found: Path, folder: Path) -> None:
    """Copy a checkpoint's model, without what only a training needs. Raises OutsideFailure if it is damaged."""
    if damage := checkpoint.damage_of(found) if found.is_dir() else "it is no longer there":
        raise OutsideFailure(
            f"the best checkpoint, {found}, cannot be used: {damage}; train again, or run it again without "
            "early_stopping and best_checkpoint, which takes the weights of the last step"
        )
    shutil.copytree(found, folder, ignore=shutil.ignore_patterns(*OF_TRAINING), dirs_exist_ok=True)
