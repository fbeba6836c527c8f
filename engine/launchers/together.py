"""What launchers share that start several processes of one training (`engine.ranks`)."""

from __future__ import annotations

from typing import Literal

from engine.errors import UserError
from engine.params import Params, setting
from engine.plugins import TRAINERS
from engine.spec import Spec
from engine.specs import TrainSpec
from engine.trainers.weight_settings import WeightParams

FIELD = "launcher"


class TogetherParams(Params):
    """Whether the processes share the weights."""

    strategy: Literal["ddp", "fsdp", "fsdp_offload"] = setting(
        "ddp",
        "ddp: every process has all weights; fsdp: each has a share of every layer; fsdp_offload: and keeps it in "
        "main memory",
    )


def check_together(spec: Spec, launcher: str, params: TogetherParams) -> None:
    """Raises UserError for a run that is no training, or of a trainer that works in one process only."""
    if not isinstance(spec, TrainSpec):
        raise UserError(
            f"launcher: {launcher} starts trainings only, and this is a {spec.title.lower()}; choose local",
            field=FIELD,
        )
    trainer = spec.trainer
    if not getattr(TRAINERS.plugin(trainer.name), "trains_together", False):
        raise UserError(
            f"launcher: the trainer {trainer.name} works in one process only; choose local, or the trainer sft",
            field=FIELD,
        )
    has_few_bits = isinstance(trainer, WeightParams) and (trainer.method == "qlora" or trainer.base_bits != 16)
    if has_few_bits and params.strategy != "ddp":
        raise UserError(
            f"launcher.strategy: {params.strategy} cannot share weights of 4 or 8 bits; choose ddp, or a base in 16 "
            "bits",
            field=FIELD,
        )
