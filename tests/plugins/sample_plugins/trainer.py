"""A trainer that adds a number to one weight in four steps."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import ClassVar, Literal

from engine import params
from engine.events import Checkpoint, Metric, Resumed
from engine.params import setting


class Sample:
    """Trains one weight, in memory that it does not tell."""

    name: ClassVar[str] = "sample"
    title: ClassVar[str] = "One weight"
    accepts: ClassVar[frozenset[str]] = frozenset({"samples", "preferences"})

    class Params(params.Params):
        """How far it goes."""

        name: Literal["sample"] = "sample"
        rate: float = setting(0.01, "how much a step adds", gt=0)

    def __init__(self, params):
        self.params = params

    def check(self, model):
        pass

    def estimate(self, config, max_tokens, device):
        return None

    def train(self, model, dataset, seed, run):
        from safetensors.torch import load_file, save_file

        saved = run.artifacts / "saved"
        step = int(saved.read_text()) if saved.exists() else 0
        if step:
            run.emit(Resumed(step))
        while step < 4:
            step += 1
            if step == 2:
                saved.write_text("2")
                run.emit(Checkpoint(2, str(saved)))
            run.emit(Metric(step, {"loss": 1 / step}))
        made = run.artifacts / "model"
        shutil.rmtree(made, ignore_errors=True)
        shutil.copytree(Path(model.weights), made)
        for file in made.glob("*.safetensors"):
            weights = load_file(file)
            if "model.norm.weight" in weights:
                weights["model.norm.weight"] += 4 * self.params.rate
                save_file(weights, file, {"format": "pt"})
        return {"model": "base", "train_loss": 0.25}
