"""Ways of training: the contract of a trainer and the ones we have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from engine.domain import Model

if TYPE_CHECKING:
    from engine.rundir import RunDir


class Trainer(Protocol):
    """Trains one model on tokenised samples inside a worker process."""

    name: str

    def check(self, model: Model) -> None:
        """A quick look before a run is queued, without torch. Raises UserError where model and settings do not fit.

        Of a model on the hub there may be no more than its configuration in the folder, or no folder yet.
        """

    def train(self, model: Model, dataset: Path, seed: int, run: RunDir) -> dict[str, object]:
        """Write an adapter or a model to `run.artifacts / "model"` and return the final figures.

        `dataset` holds train.parquet and valid.parquet (see engine/work/build.py). Emits metrics to `run` and
        saves checkpoints below `run.artifacts / "checkpoints"`, from the newest complete one of which it goes on.
        """
