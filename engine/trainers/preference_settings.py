"""The settings of training on preferences."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from engine.params import setting
from engine.trainers.training_settings import TrainingParams

LEARNING_RATE = 5e-5  # lower than for samples: an answer's whole likelihood is moved, and not each token's


class DpoParams(TrainingParams):
    """Settings of direct preference optimisation (Rafailov et al. 2023, arXiv 2305.18290)."""

    name: Literal["dpo"] = "dpo"
    learning_rate: float = setting(LEARNING_RATE, "peak value, per optimizer step", gt=0, le=1)
    beta: float = setting(0.1, "how much it costs to differ from the model before training", gt=0, le=100)
    loss: Literal["sigmoid", "ipo", "hinge", "robust", "apo_zero", "apo_down", "sigmoid_norm"] = setting(
        "sigmoid",
        "sigmoid: DPO itself; ipo: for pairs that are all clear (arXiv 2310.12036); hinge: SLiC; robust: for pairs of "
        "which some are the wrong way round (label_smoothing says how many); apo_zero and apo_down: both answers by "
        "themselves (arXiv 2408.06266); sigmoid_norm: DPO by the mean token",
        more=True,
    )
    label_smoothing: float = setting(
        0.0, "robust only: share of pairs that are the wrong way round", more=True, ge=0, lt=0.5
    )

    @model_validator(mode="after")
    def _loss_fits(self) -> Self:
        if (self.loss == "robust") != bool(self.label_smoothing):
            raise ValueError(
                f"loss robust and label_smoothing need each other (got {self.loss} and {self.label_smoothing:g}); set "
                "both or none"
            )
        return self


class KtoParams(TrainingParams):
    """Settings of KTO, on single answers that are right or wrong (Ethayarajh et al. 2024, arXiv 2402.01306)."""

    name: Literal["kto"] = "kto"
    learning_rate: float = setting(LEARNING_RATE, "peak value, per optimizer step", gt=0, le=1)
    beta: float = setting(0.1, "how much it costs to differ from the model before training", gt=0, le=100)
    desirable_weight: float = setting(1.0, "of answers that are right", more=True, gt=0, le=1000)
    undesirable_weight: float = setting(1.0, "of answers that are wrong", more=True, gt=0, le=1000)
    loss: Literal["kto", "apo_zero_unpaired"] = setting(
        "kto", "kto: against how far the model has gone on other answers; apo_zero_unpaired: without that", more=True
    )

    @model_validator(mode="after")
    def _batch_fits(self) -> Self:
        if self.loss == "kto" and self.batch_size < 2:
            raise ValueError("kto compares each answer with others of its batch; set batch_size to 2 or more")
        return self
