"""The contract test of a trainer, run on every registered one."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, get_args

from engine.domain import Model, Rows
from engine.errors import UserError
from engine.models.loading import load
from engine.models.shape import read_config
from engine.params import Params
from engine.plugins import Plugin
from engine.rundir import Inputs, RunDir
from engine.trainers import Trainer


class Killed(Exception):
    """Raised in a training session in place of a SIGKILL."""


class KilledRun(RunDir):
    """A run that ends at the first metric after its first checkpoint."""

    has_saved = False

    def append(self, kind: str, /, **fields: Any) -> None:
        super().append(kind, **fields)
        if kind == "metric" and self.has_saved:
            raise Killed
        self.has_saved |= kind == "checkpoint"


def check(make: Plugin[Trainer], settings: Params, model: Model, dataset: Path, folder: Path) -> None:
    """Train to the end, then train again with an interruption; `settings` save a checkpoint before the last step.

    Raises AssertionError if the contract is violated.
    """
    accepted, rows = make(settings).accepts, set(get_args(Rows))
    assert accepted, "it learns from nothing"
    assert accepted <= rows, f"it learns from {sorted(accepted - rows)}, and there are {sorted(rows)}"
    make(settings).check(model)
    estimated = make(settings).estimate(read_config(Path(model.weights)), 64, "cpu")
    assert estimated is None or estimated.total > 0, f"it estimates {estimated and estimated.total} bytes of memory"
    whole = RunDir.create(folder / "whole", {}, Inputs())
    figures = _trained(make, settings, model, dataset, whole)
    loss = figures["train_loss"]
    assert isinstance(loss, float), f"the training loss is {loss!r}"
    assert math.isfinite(loss), f"the training loss is {loss}"
    assert any(event.kind == "metric" for event in whole.events().events), "no metric was emitted"
    made = whole.artifacts / "model"
    kind = "adapter" if (made / "adapter_config.json").exists() else "base"
    assert figures.get("model") == kind, f"it says that it made {figures.get('model')!r}, and made {kind!r}"
    try:
        load(Model("made", kind, str(made), model.weights if kind == "adapter" else ""))
    except UserError as error:
        raise AssertionError(f"what was trained cannot be loaded: {error}") from error

    killed = KilledRun.create(folder / "killed", {}, Inputs())
    try:
        _trained(make, settings, model, dataset, killed)
    except Killed:
        pass
    else:
        raise AssertionError("no checkpoint was emitted before the last step")
    again = RunDir(killed.path)
    _trained(make, settings, model, dataset, again)
    assert any(event.kind == "resumed" for event in again.events().events), "it started over instead of resuming"
    _check_same_weights(made, again.artifacts / "model")


def _trained(make: Plugin[Trainer], settings: Params, model: Model, dataset: Path, run: RunDir) -> dict[str, object]:
    return make(settings).train(model, dataset, 0, run)


def _check_same_weights(whole: Path, resumed: Path) -> None:
    from safetensors.torch import load_file

    files = sorted(file.name for file in whole.glob("*.safetensors"))
    assert files, "no weights were written as safetensors"
    for file in files:
        wanted, found = load_file(whole / file), load_file(resumed / file)
        assert wanted.keys() == found.keys(), f"after an interruption, {file} holds other weights"
        for name in wanted:
            assert (wanted[name] == found[name]).all(), f"after an interruption, {name} has other values"
