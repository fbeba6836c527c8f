"""The part of a session that all trainers share: from a trainer of TRL that is ready to the finished model.

Imports torch: for worker processes only.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from engine.artifacts import atomic_folder
from engine.domain import Model
from engine.events import Resumed
from engine.rundir import STOPPED, RunDir
from engine.trainers import checkpoint, memory, together
from engine.trainers.best import best_of, copy_model
from engine.trainers.reporting import Reporter
from engine.trainers.training_settings import TrainingParams
from engine.trainers.weights import count_parameters, trained_weights

log = logging.getLogger(__name__)
REFERENCE = "ref"  # TRL's name of a frozen copy of the adapter that is trained further


def run_to_end(
    trainer: Any, reporter: Reporter, params: TrainingParams, model: Model, tokenizer: Any, run: RunDir, steps: int
) -> dict[str, Any]:
    """Train from the newest complete checkpoint to the last step, write the model, and return the figures.

    `steps`: how many there are in all. Raises SystemExit where the run was asked to stop, with a checkpoint.
    """
    trainable, parameters = count_parameters(trainer.model)
    log.info(
        "trained: %s of %s parameters, %s %%", f"{trainable:,}", f"{parameters:,}", _percent(trainable, parameters)
    )
    for name, count in trained_weights(trainer.model).items():
        log.info("trained: %s, %s", name, f"{count:,}")
    folder = run.artifacts / "checkpoints"
    newest = _newest(folder)
    if newest is not None or any(event.kind == "metric" for event in run.all_events()):
        run.emit(Resumed(checkpoint.step_of(newest) if newest else 0))  # without a checkpoint it starts over
    with reporter.stoppable():
        trainer.train(resume_from_checkpoint=str(newest) if newest else None)
    if reporter.is_stopping and trainer.state.global_step < steps:
        raise SystemExit(STOPPED)
    history = trainer.state.log_history
    best = best_of(history) if params.takes_best else None
    best_folder = folder / f"checkpoint-{best.step}" if best else None
    whole = {} if best_folder else together.gathered(trainer)
    if together.leads():
        _save(trainer.model, tokenizer, model, run, best_folder, whole)

    evaluations = [entry for entry in history if "eval_loss" in entry]
    evaluated = next((entry for entry in evaluations if best and entry["step"] == best.step), (evaluations or [{}])[-1])
    return {
        "model": "adapter" if params.adds_matrices else "base",
        "continued_from": model.name,
        "train_loss": _mean_loss(history),
        "eval_loss": evaluated.get("eval_loss"),
        "eval_token_accuracy": evaluated.get("eval_mean_token_accuracy"),
        "best_step": best.step if best else None,
        "stopped_early": int(trainer.state.global_step) < steps,
        "steps": int(trainer.state.global_step),
        "trainable_parameters": trainable,
        "all_parameters": parameters,
        "peak_memory_bytes": memory.peak().bytes,
        "device": memory.peak().device,
    }


def _newest(folder: Path) -> Path | None:
    """The checkpoint to continue from, the same for all processes that train together."""
    found = checkpoint.newest_complete(folder) if together.leads() else None
    step = together.told(checkpoint.step_of(found) if found else -1)
    return folder / f"checkpoint-{step}" if step >= 0 else None


def _save(trained: Any, tokenizer: Any, model: Model, run: RunDir, best: Path | None, whole: dict[str, Any]) -> None:
    """Write the model: the weights in memory, or those of the best checkpoint.

    `whole`: where the weights are shared among processes, all of them as an argument of `save_pretrained`.
    """
    with atomic_folder(run.artifacts / "model") as folder:
        if best is None:
            own = {"selected_adapters": ["default"]} if REFERENCE in getattr(trained, "peft_config", ()) else {}
            trained.save_pretrained(folder, **own, **whole)
        else:
            copy_model(best, folder)
        tokenizer.save_pretrained(folder)
        (folder / "README.md").unlink(missing_ok=True)  # PEFT's empty model card
        config = folder / "adapter_config.json"
        if config.exists():
            values = json.loads(config.read_text(encoding="utf-8"))
            values["base_model_name_or_path"] = str(Path(model.weights).resolve())
            if isinstance(values.get("target_modules"), list):  # of a set, in another order in each process
                values["target_modules"].sort()  # so that the same weights have the same hash
            config.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / max(whole, 1):.4g}"


def _mean_loss(history: list[dict[str, Any]]) -> float | None:
    """The mean over all steps, including those before a restart; each entry is the mean since the last entry."""
    total, before = 0.0, 0
    for entry in history:
        if "loss" in entry:
            total += entry["loss"] * (entry["step"] - before)
            before = entry["step"]
    return total / before if before else None
