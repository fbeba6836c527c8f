"""The best checkpoints, by evaluation loss or by a bug panel: saved when found, kept, and one becomes the model."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from engine.errors import OutsideFailure
from engine.trainers import checkpoint
from engine.trainers.watch_settings import WatchParams

OF_TRAINING = (  # of a checkpoint's files
    "*.pt",
    "*.pth",
    "*.bin",
    "trainer_state.json",
    "metrics.json",
    "README.md",
    checkpoint.SEAL,
)


@dataclass(frozen=True)
class Best:
    """The best evaluation so far."""

    step: int
    value: float  # of the first metric by which it was chosen
    since: int  # evaluations after it


@dataclass(frozen=True)
class Choice:
    """In what the best checkpoint is best, and how many of the best are kept."""

    metrics: tuple[str, ...]  # the first decides, the next where it is equal
    sign: int  # 1: less is better; -1: more is
    keep: int

    @classmethod
    def of(cls, params: WatchParams) -> Choice | None:
        """None where the last step's weights become the model."""
        if not params.takes_best:
            return None
        if params.choose_by == "panel":
            return cls(tuple(f"plausible_at_{k}" for k in reversed(params.panel_ranks)), -1, params.keep_best)
        return cls(("eval_loss",), 1, params.keep_best)

    def best(self, history: Sequence[dict[str, Any]]) -> Best | None:
        """The best of a trainer's log, which a checkpoint holds too; the first of equal ones, None if there is none."""
        evaluations = self._evaluations(history)
        if not evaluations:
            return None
        place = min(range(len(evaluations)), key=lambda at: self._key(evaluations[at]))
        found = evaluations[place]
        return Best(int(found["step"]), float(found[self.metrics[0]]), len(evaluations) - 1 - place)

    def kept(self, history: Sequence[dict[str, Any]]) -> set[int]:
        """The steps of the best evaluations, as many as are kept."""
        return {int(each["step"]) for each in sorted(self._evaluations(history), key=self._key)[: self.keep]}

    def _evaluations(self, history: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Those after the first step: before it there is no checkpoint."""
        return [entry for entry in history if self.metrics[0] in entry and entry["step"] > 0]

    def _key(self, entry: dict[str, Any]) -> tuple[float, ...]:
        return tuple(self.sign * entry[name] for name in self.metrics)


class BestKept(TrainerCallback):  # type: ignore[misc]
    """Saves a checkpoint at each evaluation that is among the best so far, and may end the training when none is."""

    def __init__(self, choice: Choice, patience: int | None) -> None:
        """`patience`: evaluations in a row that are not the best after which the training ends; None: it does not."""
        self.choice, self.patience = choice, patience

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any], **kwargs: Any) -> None:
        best = self.choice.best(state.log_history)
        if best is None or self.choice.metrics[0] not in logs:
            return
        control.should_save |= state.global_step in self.choice.kept(state.log_history)
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
