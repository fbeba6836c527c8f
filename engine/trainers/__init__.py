"""Training a model: the interface of a trainer."""

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
    """Memory in bytes by purpose, the numbers of parameters, and notes about the estimate."""

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
        """Bytes by purpose, in the order of the stacked bar."""
        names = ("weights", "optimizer", "gradients", "activations", "buffers", "context")
        return {name: getattr(self, name) for name in names}

    @property
    def total(self) -> int:
        return sum(self.parts.values())


class Trainer(Protocol):
    """Trains one model on a training set inside a worker process.

    It may also have `fitted(model) -> Params`, the settings with a value for all that they leave open; then the memory
    is estimated for these. `trains_together = True`: in several processes too, each with its share of a batch
    (`engine.trainers.together`).
    """

    name: str
    # The kinds of rows it can learn from. One that accepts "bugs" finds them by its own settings and gets no dataset.
    accepts: ClassVar[frozenset[Rows]]

    def check(self, model: Model) -> None:
        """A quick check before a run is queued, without torch. Raises UserError if model and settings do not fit.

        A model of the hub may have only its configuration in its folder, or no folder yet.
        """

    def estimate(self, config: Mapping[str, Any], max_tokens: int, device: Device) -> Estimate | None:
        """The peak memory for a model with this config.json and samples of `max_tokens` tokens.

        None if this trainer cannot estimate it. Must not import torch, and must be fast enough to be called at every
        key stroke in a form.
        """

    def train(self, model: Model, dataset: Path, seed: int, run: RunDir) -> dict[str, object]:
        """Write an adapter or a model to `run.artifacts / "model"` and return the final figures.

        They include `model`, which is "adapter" or "base", and `train_loss`. `dataset` is a dataset's folder (see
        engine/training_set.py). Emits metrics to `run` and saves checkpoints in `run.artifacts / "checkpoints"`; if
        there are any, it continues from the newest complete one.
        """
