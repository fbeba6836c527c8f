"""Supervised fine-tuning on prompts and targets: LoRA, QLoRA or every weight, by TRL's `SFTTrainer`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from engine.domain import Model, Rows
from engine.errors import UserError
from engine.models import adapters
from engine.trainers import Device, Estimate
from engine.trainers.memory_estimate import estimate
from engine.trainers.sft_settings import SftParams

if TYPE_CHECKING:
    from engine.rundir import RunDir


class Sft:
    """Trains on the target tokens of each sample; the prompt's tokens carry no loss."""

    name: ClassVar[str] = "sft"
    title: ClassVar[str] = "Supervised fine-tuning (SFT)"

    accepts: ClassVar[frozenset[Rows]] = frozenset({"samples"})
    Params = SftParams

    def __init__(self, params: SftParams) -> None:
        self.params = params

    def check(self, model: Model) -> None:
        """Raises UserError naming every setting in which an adapter to train further differs from these settings."""
        if model.kind != "adapter":
            return
        if self.params.method == "full":
            raise UserError(
                f"trainer.method: full trains every weight, and {model.name!r} is an adapter; merge it first, or "
                "choose lora",
                field="trainer.method",
            )
        if not Path(model.path).is_dir():
            return
        own = adapters.lora_of(Path(model.path))
        kept = {
            "rank": own.rank,
            "alpha": own.alpha,
            "dropout": own.dropout,
            "target_modules": self._layers(own, model),
        }
        differing = {
            f"trainer.{name}": (value, getattr(self.params, name))
            for name, value in kept.items()
            if value != getattr(self.params, name)
        }
        if differing:
            shown = {name: (_shown(own), _shown(asked)) for name, (own, asked) in differing.items()}
            has = "; ".join(f"{name}: the adapter has {own}, not {asked}" for name, (own, asked) in shown.items())
            options = " ".join(f"--set {name}={own}" for name, (own, _) in shown.items())
            raise UserError(
                f"{has}; {model.name!r} can only be trained further with its own settings: use {options}, or merge it "
                "and train the merged model",
                field=next(iter(differing)),
            )

    def _layers(self, own: adapters.Lora, model: Model) -> str:
        """The adapter's layers in the notation of the setting; the setting itself if both mean the same."""
        asked = self.params.layer_names
        linear = adapters.linear_layers(Path(model.weights))
        wanted = linear if isinstance(asked, str) else frozenset(name.rpartition(".")[2] for name in asked)
        if not own.layers or not wanted or own.layers == wanted:
            return self.params.target_modules
        return "all-linear" if own.layers == linear else ",".join(sorted(own.layers))

    def estimate(self, config: Mapping[str, Any], max_tokens: int, device: Device) -> Estimate | None:
        return estimate(config, self.params, max_tokens, device)

    def train(self, model: Model, dataset: Path, seed: int, run: RunDir) -> dict[str, Any]:
        """See `engine.trainers.Trainer.train`."""
        self.check(model)
        from engine.trainers import session  # torch, which the studio's own process never loads

        return dict(session.train(self.params, model, dataset, seed, run))


def _shown(value: object) -> str:
    """A value as a user would type it."""
    return f"{value:g}" if isinstance(value, float) else str(value)
