"""Settings that every trainer shares: when it evaluates, saves and reports, and which checkpoint becomes the model."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, model_validator

from engine.params import setting
from engine.trainers.panel_settings import PanelParams

WANDB_KEY = "WANDB_API_KEY"  # in the environment of a worker that reports to Weights & Biases, and of no other


def _false_as_text(value: Any) -> Any:
    """JSON's false, as a shell reads the word, is the name of a choice here."""
    return "false" if value is False else value


class WatchParams(PanelParams):
    """Evaluations, the bug panel, early stopping, checkpoints, and where the curves go."""

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
        "stop after so many evaluations in a row that are no better than the best (choose_by says in what); the model "
        "is then the best checkpoint; empty: never",
        unit="evaluations",
        more=True,
        gt=0,
        le=10_000,
    )
    best_checkpoint: bool = setting(
        False, "the model is the best checkpoint (choose_by says in what), and not the last step's", more=True
    )
    choose_by: Literal["eval_loss", "panel"] = setting(
        "eval_loss",
        "what the best checkpoint is best in: the loss of the rows held out, or the plausible@k of the bug panel, "
        "whose bugs then count as used for choosing",
        more=True,
    )
    logging_steps: int = setting(5, "between two points of the loss curve", unit="steps", more=True, gt=0, le=10**8)
    save_steps: int | None = setting(
        None, "between two checkpoints; empty: after each epoch", unit="steps", more=True, gt=0, le=10**8
    )
    keep_checkpoints: int = setting(
        2, "the newest; older ones are deleted, but for the best ones where one becomes the model", unit="checkpoints",
        more=True, ge=2, le=100,
    )  # fmt: skip
    keep_best: int = setting(
        1, "best checkpoints that are kept beside the newest, where the best becomes the model", unit="checkpoints",
        more=True, ge=1, le=100,
    )  # fmt: skip
    report_to_wandb: bool = setting(
        False,
        "also send the curves to Weights & Biases; needs WANDB_API_KEY in the environment, or WANDB_MODE=offline",
        title="Report to Weights & Biases",
        more=True,
    )
    wandb_project: str = setting(
        "repair-studio", "of Weights & Biases, where the run is listed", title="W&B project", more=True, min_length=1,
        max_length=128,
    )  # fmt: skip
    wandb_run: str = setting(
        "", "its name there; empty: that of this run", title="W&B run name", more=True, max_length=128
    )
    wandb_watch: Annotated[Literal["false", "gradients", "all"], BeforeValidator(_false_as_text)] = setting(
        "false", "histograms sent there: none, of gradients, or of gradients and weights", title="W&B watch", more=True
    )
    wandb_log_model: bool = setting(False, "send the finished model there", title="W&B log model", more=True)
    wandb_tags: str = setting("", "separated by commas", title="W&B tags", more=True, max_length=1000)

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
        if self.chooses_by_loss and self.evaluation == "no":
            name = "early_stopping" if self.early_stopping else "best_checkpoint"
            raise ValueError(f"{name} needs evaluations; set evaluation to epoch or steps")
        if self.choose_by == "panel" and not self.panel:
            raise ValueError("choose_by panel needs a panel; set panel to a benchmark")
        return self

    @property
    def takes_best(self) -> bool:
        """Whether the finished model is the best checkpoint."""
        return self.best_checkpoint or self.early_stopping is not None

    @property
    def chooses_by_loss(self) -> bool:
        """Whether the finished model is the checkpoint with the lowest evaluation loss."""
        return self.takes_best and self.choose_by == "eval_loss"

    @property
    def tags(self) -> tuple[str, ...]:
        """Those in `wandb_tags`."""
        return tuple(filter(None, map(str.strip, self.wandb_tags.split(","))))
