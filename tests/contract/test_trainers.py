"""Every registered trainer keeps the contract, on a tiny random model."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.events import KINDS
from engine.plugins import TRAINERS
from engine.trainers import Estimate
from engine.trainers.contract import check

TESTS = Path(__file__).resolve().parents[1]
sys.path.append(str(TESTS / "generators"))

from tiny_models import tiny, write_dataset, write_preferences  # noqa: E402, F401

SETTINGS = {
    "sft": {
        "rank": 4, "batch_size": 4, "max_steps": 6, "save_steps": 2, "logging_steps": 1, "dropout": 0.1,
        "learning_rate": 1e-2,
    },
    "dpo": {"rank": 4, "batch_size": 4, "max_steps": 6, "save_steps": 2, "logging_steps": 1, "learning_rate": 1e-2},
    "kto": {"rank": 4, "batch_size": 4, "max_steps": 6, "save_steps": 2, "logging_steps": 1, "learning_rate": 1e-2},
    "grpo": {
        "rank": 4, "benchmark": {"name": "pocket", "languages": ["python"]}, "limit": 4, "batch_size": 8,
        "accumulation": 1, "candidates": 4, "max_new_tokens": 8, "max_steps": 6, "save_steps": 2, "logging_steps": 1,
        "learning_rate": 1e-2,
    },
}  # fmt: skip
WRITE = {"samples": write_dataset, "preferences": write_preferences}


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAINERS.names())
def test_the_contract_holds(name, tiny, tmp_path):  # noqa: F811
    params = TRAINERS.params({"name": name, **SETTINGS.get(name, {})})
    make = TRAINERS.plugin(name)
    write = WRITE["preferences" if "preferences" in make.accepts else "samples"]
    check(make, params, tiny, write(tmp_path / "set"), tmp_path)


class Stub:
    """Trains nothing: counts to four in steps, with a checkpoint after the second, and writes what it counted."""

    loss = 0.5
    says = ("metric", "checkpoint", "resumed")
    saves = True
    forgets = 0  # of what was counted before the break
    accepts = frozenset({"samples"})
    estimated = None
    made = "base"

    def __init__(self, settings):
        pass

    def check(self, model):
        pass

    def estimate(self, config, max_tokens, device):
        return self.estimated

    def train(self, model, dataset, seed, run):
        saved = run.artifacts / "saved"
        step, total = 0, 0
        if saved.exists() and self.saves:
            step, total = 2, int(saved.read_text()) - self.forgets
            self.say(run, "resumed", step=step)
        while step < 4:
            step, total = step + 1, total + step
            if step == 2:
                saved.write_text(str(total))
                self.say(run, "checkpoint", step=step, path=str(saved))
            self.say(run, "metric", step=step, values={"loss": self.loss})
        self.leave(run.artifacts / "model", Path(model.path), total)
        return {"train_loss": self.loss, "model": self.made}

    def say(self, run, kind, **fields):
        if kind in self.says:
            run.emit(KINDS[kind](**fields))

    def leave(self, made, model, total):
        shutil.copytree(model, made)
        weights = load_file(made / "model.safetensors")
        weights["model.norm.weight"] += total
        save_file(weights, made / "model.safetensors", {"format": "pt"})


class Weightless(Stub):
    def leave(self, made, model, total):
        shutil.copytree(model, made)
        (made / "model.safetensors").unlink()


class Renamed(Stub):
    """Names a tensor after the run it was in."""

    def leave(self, made, model, total):
        super().leave(made, model, total)
        extra = {f"of_{made.parents[1].name}": torch.zeros(1)}
        save_file(load_file(made / "model.safetensors") | extra, made / "model.safetensors", {"format": "pt"})


def broken(**changed):
    return type("Broken", (Stub,), changed)


def test_the_contract_has_nothing_against_the_stub(tiny, tmp_path):  # noqa: F811
    check(Stub, None, tiny, tmp_path, tmp_path)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (broken(accepts=frozenset()), "it learns from nothing"),
        (broken(accepts=frozenset({"patches"})), "it learns from .'patches'"),
        (broken(estimated=Estimate(0, 0, 0, 0, 0, 0, 0, 0, 0)), "it estimates 0 bytes"),
        (broken(made="adapter"), "it says that it made 'adapter', and made 'base'"),
        (broken(loss=None), "the training loss is None"),
        (broken(loss=float("nan")), "the training loss is nan"),
        (broken(says=("checkpoint", "resumed")), "no metric was emitted"),
        (Weightless, "what was trained cannot be loaded"),
        (broken(says=("metric", "resumed")), "no checkpoint was emitted"),
        (broken(says=("metric", "checkpoint")), "it started over"),
        (broken(saves=False), "it started over"),
        (broken(forgets=1), "after an interruption, model.norm.weight has other values"),
        (Renamed, "after an interruption, model.safetensors holds other weights"),
    ],
)
def test_the_contract_finds(make, said, tiny, tmp_path):  # noqa: F811
    with pytest.raises(AssertionError, match=said):
        check(make, None, tiny, tmp_path, tmp_path)
