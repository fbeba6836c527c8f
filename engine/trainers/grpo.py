"""Learning from verdicts by TRL's `GRPOTrainer`: of patches for one bug, those with better verdicts get likelier."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from engine import plugin_text
from engine.domain import Model, Rows
from engine.plugins import BENCHMARKS
from engine.trainers import Device, Estimate
from engine.trainers.continuing import fitted
from engine.trainers.grpo_settings import GrpoParams
from engine.trainers.memory_estimate import with_generation

if TYPE_CHECKING:
    from engine.rundir import RunDir


class Grpo:
    """Rewards each patch by the sandbox's verdict; its bugs are those of a benchmark, and no dataset is needed."""

    name: ClassVar[str] = "grpo"
    title: ClassVar[str] = "Verdicts: rewards for patches that pass (GRPO)"
    accepts: ClassVar[frozenset[Rows]] = frozenset({"bugs"})
    Params = GrpoParams

    def __init__(self, params: GrpoParams) -> None:
        self.params = params

    def check(self, model: Model) -> None:
        """Raises UserError if the bugs are missing, or an adapter to train further differs from these settings."""
        fitted(self.params, model)
        BENCHMARKS.create(plugin_text.read(self.params.benchmark, BENCHMARKS)).check()
        self.params.check_panel()

    def fitted(self, model: Model) -> GrpoParams:
        """The settings with what they leave open: an adapter's own values, or those of a new one. Raises as `check`."""
        return fitted(self.params, model)

    def estimate(self, config: Mapping[str, Any], max_tokens: int, device: Device) -> Estimate | None:
        """Of a forward pass on prompts and completions, with the keys and values of the completions of a step."""
        params = self.params
        tokens, sequences = max_tokens + params.max_new_tokens, params.batch_size * params.accumulation
        return with_generation(config, params, tokens, sequences, device, is_compared=params.beta > 0)

    def train(self, model: Model, dataset: Path, seed: int, run: RunDir) -> dict[str, Any]:
        """See `engine.trainers.Trainer.train`."""
        params = fitted(self.params, model)
        from engine.trainers import grpo_session  # torch, which the studio's own process never loads

        return grpo_session.train(params, model, seed, run)
