"""Settings that every trainer shares: when it evaluates, saves and reports, and which checkpoint becomes the model."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import model_validator

from engine import params
from engine.params import setting


class WatchParams(params.Params):
    """Evaluations, early stopping, checkpoints, and where the curves go."""

    evaluation: Literal["epoch", "steps", "no"] = setting(
        "epoch",
        "when the rows that were held out are evaluated: after each epoch, every few steps, or never",
        more=True,
    )
    eval_steps: int | None = setting(
        None, "between two evaluations, where they are by steps", unit="steps", more=True, gt=0, le=10**8
    )
    eval_delay: int = setting(0, "no evaluation before this step", unit="steps", more=True, ge=0, le=10**8)
    eval_batch_size: int | None = setting(
        None, "samples of one forward pass of an evaluation; empty: as many as in training", unit="samples",
        more=True, gt=0, le=4096,
    )  # fmt: skip
    early_stopping: int | None = setting(
        None,
        "stop after so many evaluations in a row without a lower loss than the lowest; the model is then the best "
        "checkpoint; empty: never",
        unit="evaluations",
        more=True,
        gt=0,
        le=10_000,
    )
    best_checkpoint: bool = setting(
        False, "the model is the checkpoint with the lowest evaluation loss, and not the last step's", more=True
    )
    logging_steps: int = setting(5, "between two points of the loss curve", unit="steps", more=True, gt=0, le=10**8)
    save_steps: int | None = setting(
        None, "between two checkpoints; empty: after each epoch", unit="steps", more=True, gt=0, le=10**8
    )
    keep_checkpoints: int = setting(
        2, "older ones are deleted, but for the best one where it becomes the model", unit="checkpoints",
        more=True, ge=2, le=100,
    )  # fmt: skip
    report_to_wandb: bool = setting(
        False, "also send the curves to Weights & Biases; needs WANDB_API_KEY in the environment", more=True
    )

    @model_validator(mode="before")
    @classmethod
    def _by_steps_where_they_are_named(cls, values: Any) -> Any:
        """Who says only how many steps are between two evaluations wants them by steps."""
        if isinstance(values, dict) and values.get("eval_steps") is not None and "evaluation" not in values:
            return {**values, "evaluation": "steps"}
        return values

    @model_validator(mode="after")
    def _evaluations_fit_together(self) -> Self:
        if self.evaluation == "steps" and self.eval_steps is None:
            raise ValueError("evaluation by steps needs eval_steps; say how many are between two evaluations")
        if self.evaluation != "steps" and self.eval_steps is not None:
            raise ValueError(f"eval_steps needs evaluation steps (got {self.evaluation}); leave one of them out")
        if self.takes_best and self.evaluation == "no":
            name = "early_stopping" if self.early_stopping else "best_checkpoint"
            raise ValueError(f"{name} needs evaluations; set evaluation to epoch or steps")
        return self

    @property
    def takes_best(self) -> bool:
        """Whether the finished model is the best checkpoint."""
        return self.best_checkpoint or self.early_stopping is not None
