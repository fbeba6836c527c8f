"""Supervised fine-tuning on prompts and targets: LoRA, QLoRA, last layers or every weight, by TRL's `SFTTrainer`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from engine.domain import Model, Rows
from engine.trainers import Device, Estimate
from engine.trainers.continuing import fitted
from engine.trainers.fastest import in_tokens
from engine.trainers.memory_estimate import estimate
from engine.trainers.sft_settings import SftParams

if TYPE_CHECKING:
    from engine.rundir import RunDir

AUTO = "speed auto: at least; it takes more where more is free when the run starts"


class Sft:
    """Trains on the target tokens of each sample; the prompt's tokens carry no loss."""

    name: ClassVar[str] = "sft"
    title: ClassVar[str] = "Supervised fine-tuning (SFT)"
    trains_together: ClassVar[bool] = True

    accepts: ClassVar[frozenset[Rows]] = frozenset({"samples"})
    Params = SftParams

    def __init__(self, params: SftParams) -> None:
        self.params = params

    def check(self, model: Model) -> None:
        """Raises UserError if the panel's bugs are missing, or an adapter to train further differs in a setting."""
        fitted(self.params, model)
        self.params.check_panel()

    def fitted(self, model: Model) -> SftParams:
        """The settings with what they leave open: an adapter's own values, or those of a new one. Raises as `check`."""
        return fitted(self.params, model)

    def estimate(self, config: Mapping[str, Any], max_tokens: int, device: Device) -> Estimate | None:
        """See `engine.trainers.Trainer.estimate`; with `speed` auto the least that can be chosen."""
        params = self.params
        if params.speed == "auto":
            params = params.model_copy(update={"batch_tokens": max_tokens, "activation_checkpointing": True})
        found = estimate(config, in_tokens(params, max_tokens), 1, device)
        return found if params is self.params else replace(found, notes=(*found.notes, AUTO))

    def train(self, model: Model, dataset: Path, seed: int, run: RunDir) -> dict[str, Any]:
        """See `engine.trainers.Trainer.train`."""
        params = fitted(self.params, model)
        from engine.trainers import session  # torch, which the studio's own process never loads

        return dict(session.train(params, model, dataset, seed, run))
