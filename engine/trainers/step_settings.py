"""Settings that every trainer shares: how many steps there are, and what the optimizer does in each."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from engine import params
from engine.params import setting


class StepParams(params.Params):
    """Learning rate, length and batches, schedule, optimizer, and the precision of the computation."""

    learning_rate: float = setting(2e-4, "peak value, per optimizer step", gt=0, le=1)
    epochs: float = setting(1.0, "passes over the dataset; may be a fraction", unit="epochs", gt=0, le=1000)
    batch_size: int = setting(8, "samples per forward pass", unit="samples", gt=0, le=4096)
    accumulation: int = setting(1, "forward passes per optimizer step", unit="passes", more=True, gt=0, le=4096)
    max_steps: int | None = setting(
        None, "stop after this many optimizer steps; empty: by epochs", unit="steps", more=True, gt=0, le=10**8
    )
    scheduler: Literal["linear", "cosine", "constant"] = setting(
        "linear", "how the learning rate changes after the warm-up", more=True
    )
    min_learning_rate: float = setting(
        0.0, "cosine only: the learning rate of the last step", title="Least learning rate", more=True, ge=0, le=1
    )
    warmup_steps: float = setting(
        0.0,
        "steps until the learning rate is at its peak; below 1: a share of all steps",
        more=True,
        ge=0,
        le=10**8,
    )
    optimizer: Literal["adamw", "adamw_8bit", "paged_adamw_8bit", "paged_adamw_32bit", "sgd"] = setting(
        "adamw", "paged optimizers use main memory when the GPU is full", more=True
    )
    beta1: float = setting(0.9, "AdamW's decay of the mean gradient", more=True, ge=0, lt=1)
    beta2: float = setting(0.999, "AdamW's decay of the mean squared gradient", more=True, ge=0, lt=1)
    momentum: float = setting(
        0.0, "sgd only: share of the last step's change that is repeated, usually 0.9", more=True, ge=0, lt=1
    )
    weight_decay: float = setting(0.0, "decay of the weights towards zero", more=True, ge=0, le=10)
    max_grad_norm: float = setting(1.0, "larger gradients are clipped to this norm; 0: never", more=True, ge=0)
    neftune_alpha: float | None = setting(
        None,
        "noise added to the input embeddings while training, 5 to 15 in its paper (NEFTune); empty: none",
        title="NEFTune alpha",
        more=True,
        gt=0,
        le=1000,
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = setting(
        "auto", "of the computation; auto: bf16 on a GPU that has it, fp32 on a CPU", more=True
    )
    activation_checkpointing: bool = setting(
        False, "compute activations twice instead of keeping them: less memory, about a third slower", more=True
    )

    @model_validator(mode="after")
    def _steps_fit_together(self) -> Self:
        if self.min_learning_rate and self.scheduler != "cosine":
            raise ValueError(f"min_learning_rate needs scheduler cosine (got {self.scheduler}); set one of them")
        if self.min_learning_rate >= self.learning_rate:
            raise ValueError(
                f"min_learning_rate should be less than learning_rate "
                f"(got {self.min_learning_rate:g} and {self.learning_rate:g})"
            )
        return self
