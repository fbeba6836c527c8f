"""The part of a session that all trainers share: from a trainer of TRL that is ready to the finished model.

Imports torch: for worker processes only.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from engine import chosen_by, plugin_text, ranks
from engine.artifacts import atomic_folder
from engine.domain import Bug, Model
from engine.errors import UserError
from engine.events import Resumed
from engine.plugins import BENCHMARKS
from engine.rundir import STOPPED, RunDir
from engine.trainers import checkpoint, memory, together
from engine.trainers.best import BestKept, Choice, copy_model
from engine.trainers.memory_failure import explained
from engine.trainers.memory_samples import sampling
from engine.trainers.panel import Panel
from engine.trainers.reporting import Reporter
from engine.trainers.training_settings import TrainingParams
from engine.trainers.wandb_report import sent
from engine.trainers.weights import count_parameters, trained_weights

log = logging.getLogger(__name__)
REFERENCE = "ref"  # TRL's name of a frozen copy of the adapter that is trained further


def run_to_end(
    trainer: Any, reporter: Reporter, params: TrainingParams, model: Model, tokenizer: Any, run: RunDir, steps: int,
    learned: Collection[Bug] = (),
) -> dict[str, Any]:  # fmt: skip
    """Train from the newest complete checkpoint to the last step, write the model, and return the figures.

    `steps`: how many there are in all. `learned`: bugs that are trained on beside those of the run's dataset. Raises
    SystemExit where the run was asked to stop, with a checkpoint, and OutOfMemory.
    """
    trainable, parameters = count_parameters(trainer.model)
    log.info(
        "trained: %s of %s parameters, %s %%", f"{trainable:,}", f"{parameters:,}", _percent(trainable, parameters)
    )
    for name, count in trained_weights(trainer.model).items():
        log.info("trained: %s, %s", name, f"{count:,}")
    choice = reporter.choice = Choice.of(params)
    panel = None
    with ExitStack() as ending:
        if choice:
            trainer.add_callback(BestKept(choice, params.early_stopping))
        if params.report_to_wandb and together.leads():
            ending.enter_context(sent(trainer, params, run, reporter.values_of))
        if params.panel:
            _check_alone()
            panel = Panel(params, model, tokenizer, trainer, reporter, run, learned)
            ending.callback(panel.bugs.close)
            trainer.add_callback(panel)
        folder = run.artifacts / "checkpoints"
        newest = _newest(folder)
        if newest is not None or any(event.kind == "metric" for event in run.all_events()):
            run.emit(Resumed(checkpoint.step_of(newest) if newest else 0))  # without a checkpoint it starts over
        sampled = sampling(run, lambda: int(trainer.state.global_step))
        with reporter.stoppable(), sampled, explained(trainer, params, model, run):
            trainer.train(resume_from_checkpoint=str(newest) if newest else None)
        rates = reporter.rates(int(trainer.state.global_step))
        if reporter.is_stopping and trainer.state.global_step < steps:
            raise SystemExit(STOPPED)
        history = trainer.state.log_history
        best = choice.best(history) if choice else None
        place = folder / f"checkpoint-{best.step}" if best else None
        used = panel if panel and best and params.choose_by == "panel" else None
        whole = {} if place else together.gathered(trainer)
        if together.leads():
            _save(trainer.model, tokenizer, model, run, place, used, params, whole)

    evaluations = [entry for entry in history if "eval_loss" in entry]
    evaluated = next((entry for entry in evaluations if best and entry["step"] == best.step), (evaluations or [{}])[-1])
    return {
        "model": "adapter" if params.adds_matrices else "base",
        "continued_from": model.name,
        "train_loss": _mean_loss(history),
        "eval_loss": evaluated.get("eval_loss"),
        "eval_token_accuracy": evaluated.get("eval_mean_token_accuracy"),
        "best_step": best.step if best else None,
        "best_value": best.value if best else None,
        "chosen_by": choice.metrics[0] if choice and best else "",
        "stopped_early": int(trainer.state.global_step) < steps,
        "steps": int(trainer.state.global_step),
        "rates": rates,
        "trainable_parameters": trainable,
        "all_parameters": parameters,
        "peak_memory_bytes": memory.peak().bytes,
        "device": memory.peak().device,
        **({"panel": _told_of(panel)} if panel else {}),
    }


def _check_alone() -> None:
    if ranks.count() > 1:
        raise UserError(
            f"panel: a bug panel writes with the whole model in one process, and this run has {ranks.count()}; leave "
            "panel out, or choose the launcher local",
            field="trainer.panel",
        )


def _newest(folder: Path) -> Path | None:
    """The checkpoint to continue from, the same for all processes that train together."""
    found = checkpoint.newest_complete(folder) if together.leads() else None
    step = together.told(checkpoint.step_of(found) if found else -1)
    return folder / f"checkpoint-{step}" if step >= 0 else None


def _told_of(panel: Panel) -> dict[str, Any]:
    return {
        "bugs": [trial.bug.id for trial in panel.trials],
        "learned_from": len(panel.learned),
        "left_out": dict(panel.bugs.left_out),
    }


def _save(
    trained: Any, tokenizer: Any, model: Model, run: RunDir, best: Path | None, panel: Panel | None,
    params: TrainingParams, whole: dict[str, Any],
) -> None:  # fmt: skip
    """Write the model: the weights in memory, or those of the best checkpoint, with the panel that chose it, if any.

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
        if panel:
            chosen_by.write(folder, plugin_text.read(params.panel, BENCHMARKS), [each.bug for each in panel.trials])


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
