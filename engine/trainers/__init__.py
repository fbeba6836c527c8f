"""Ways of training: the contract of a trainer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from engine.domain import Model, Rows

if TYPE_CHECKING:
    from engine.rundir import RunDir

Device = Literal["cuda", "cpu"]


@dataclass(frozen=True)
class Estimate:
    """Bytes by purpose, the counts behind them, and what to know about the figure."""

    weights: int
    optimizer: int
    gradients: int
    activations: int
    buffers: int  # logits, and the unpacked layer of a 4-bit base
    context: int
    parameters: int  # of the base model
    trainable: int
    all_parameters: int  # of the base model and the added matrices together
    notes: tuple[str, ...] = ()

    @property
    def parts(self) -> dict[str, int]:
        """In the order of the stacked bar."""
        names = ("weights", "optimizer", "gradients", "activations", "buffers", "context")
        return {name: getattr(self, name) for name in names}

    @property
    def total(self) -> int:
        return sum(self.parts.values())


class Trainer(Protocol):
    """Trains one model on a training set inside a worker process."""

    name: str
    accepts: ClassVar[frozenset[Rows]]  # the training sets it can learn from

    def check(self, model: Model) -> None:
        """A quick look before a run is queued, without torch. Raises UserError where model and settings do not fit.

        Of a model on the hub there may be no more than its configuration in the folder, or no folder yet.
        """

    def estimate(self, config: Mapping[str, Any], max_tokens: int, device: Device) -> Estimate | None:
        """The peak of memory for a model with this config.json and samples of `max_tokens` tokens.

        None where this trainer cannot tell. Without torch, and fast enough to follow every key stroke in a form.
        """

    def train(self, model: Model, dataset: Path, seed: int, run: RunDir) -> dict[str, object]:
        """Write an adapter or a model to `run.artifacts / "model"` and return the final figures.

        Among them: `model`, "adapter" or "base", what was written, and `train_loss`. `dataset` is a training set's
        folder (see engine/training_set.py). Emits metrics to `run` and saves checkpoints below
        `run.artifacts / "checkpoints"`, from the newest complete one of which it goes on.
        """
