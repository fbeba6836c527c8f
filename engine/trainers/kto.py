"""KTO on single answers that are right or wrong, by TRL's `KTOTrainer`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from engine.domain import Model, Rows
from engine.trainers import Device, Estimate
from engine.trainers.continuing import fitted
from engine.trainers.memory_estimate import with_reference
from engine.trainers.preference_settings import KtoParams

if TYPE_CHECKING:
    from engine.rundir import RunDir


class Kto:
    """Makes right answers likelier and wrong ones less likely, given one by one, or both of each preference."""

    name: ClassVar[str] = "kto"
    title: ClassVar[str] = "Single answers, right or wrong (KTO)"
    accepts: ClassVar[frozenset[Rows]] = frozenset({"preferences", "answers"})
    Params = KtoParams

    def __init__(self, params: KtoParams) -> None:
        self.params = params

    def check(self, model: Model) -> None:
        """Raises UserError if the panel's bugs are missing, or an adapter to train further differs in a setting."""
        fitted(self.params, model)
        self.params.check_panel()

    def fitted(self, model: Model) -> KtoParams:
        """The settings with what they leave open: an adapter's own values, or those of a new one. Raises as `check`."""
        return fitted(self.params, model)

    def estimate(self, config: Mapping[str, Any], max_tokens: int, device: Device) -> Estimate | None:
        """The mismatched answers, by which the distance is estimated, are read beside the others, and keep nothing."""
        return with_reference(config, self.params, max_tokens, device)

    def train(self, model: Model, dataset: Path, seed: int, run: RunDir) -> dict[str, Any]:
        """See `engine.trainers.Trainer.train`."""
        params = fitted(self.params, model)
        from engine.trainers import preference_session  # torch, which the studio's own process never loads

        return preference_session.train(params, model, dataset, seed, run)
