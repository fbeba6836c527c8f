"""A TRL trainer whose evaluation ends when the training is asked to stop, and that can share its weights."""

from __future__ import annotations

from typing import Any

from engine.trainers import together
from engine.trainers.reporting import EvaluationCut


class Interruptible:
    """To be put before a trainer of TRL among the base classes."""

    def create_accelerator_and_postprocess(self) -> None:
        """As transformers', with weights that are shared on a CPU too."""
        with together.sharding():
            super().create_accelerator_and_postprocess()  # type: ignore[misc]

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:
        """As transformers'; of weights that were gathered from several processes, each is saved once."""
        trainer: Any = self
        super()._save(output_dir, state_dict and together.each_once(trainer.model, state_dict))  # type: ignore[misc]

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """As TRL's; an interrupted evaluation has no figures, and the step before it is saved."""
        trainer: Any = self
        try:
            return dict(super().evaluate(*args, **kwargs))  # type: ignore[misc]
        except EvaluationCut:
            trainer.control.should_evaluate = False  # else the end of the epoch would start another one, and save again
            trainer.control.should_save = trainer.control.should_training_stop = True
            return {}
