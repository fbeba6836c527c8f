"""One training session, from the run's folder to the finished adapter; continues where a killed one stopped.

Imports torch, transformers and TRL: for worker processes only.
"""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from transformers import set_seed
from trl import pack_dataset

from engine.artifacts import atomic_folder
from engine.domain import Model
from engine.errors import UserError
from engine.events import Progress, Resumed
from engine.models.loading import best_device, context_of, load_tokenizer
from engine.rundir import STOPPED, RunDir
from engine.trainers import checkpoint, memory
from engine.trainers.arguments import Plan, arguments
from engine.trainers.best import BestKept, best_of, copy_model
from engine.trainers.exact_loss import LeanSFTTrainer
from engine.trainers.reporting import Reporter
from engine.trainers.rows import Rows, check_same_tokenizer, order, read_rows
from engine.trainers.sft_settings import SftParams
from engine.trainers.weights import count_parameters, precision, prepare, trained_exactly, trained_weights

log = logging.getLogger(__name__)


def train(params: SftParams, model: Model, dataset: Path, seed: int, run: RunDir) -> dict[str, Any]:
    """See `engine.trainers.Trainer.train`."""
    started = time.monotonic()
    run.emit(Progress(0, text="loading the model and the dataset"))
    compute = precision(params, best_device())
    tokenizer = load_tokenizer(Path(model.weights))
    check_same_tokenizer(dataset, tokenizer)
    set_seed(seed)  # before the new matrices are drawn
    weights = prepare(params, model)
    trained, held_out, lengths, left_out = _data(params, dataset, weights)
    evaluates = params.evaluation != "no" and len(held_out) > 0
    if params.takes_best and not evaluates:
        raise UserError(
            "no row of the dataset is held out for evaluation, so there is no best checkpoint; build it with some, or "
            "leave early_stopping and best_checkpoint out",
            field="dataset",
        )
    plan = Plan.of(params, len(trained))
    per_step = params.batch_size * params.accumulation
    places = order(lengths, plan.steps * per_step, seed, params.batch_size, params.group_by_length)
    tokens = np.concatenate([[0], lengths[places].reshape(plan.steps, per_step).sum(axis=1).cumsum()])

    folder = run.artifacts / "checkpoints"
    reporter = Reporter(
        run, tokens.tolist(), len(trained) / per_step, params.keep_checkpoints, keeps_best=params.takes_best
    )
    with trained_exactly(weights):
        trainer = LeanSFTTrainer(
            model=weights,
            args=arguments(params, plan, compute, folder, seed, evaluates=evaluates),
            train_dataset=trained.select(places),
            eval_dataset=held_out if evaluates else None,
            processing_class=tokenizer,
            callbacks=[reporter, *([BestKept(params.early_stopping)] if params.takes_best else [])],
        )
    trainable, parameters = count_parameters(trainer.model)
    log.info(
        "trained: %s of %s parameters, %s %%", f"{trainable:,}", f"{parameters:,}", _percent(trainable, parameters)
    )
    for name, count in trained_weights(trainer.model).items():
        log.info("trained: %s, %s", name, f"{count:,}")
    newest = checkpoint.newest_complete(folder)
    if newest is not None or any(event.kind == "metric" for event in run.all_events()):
        run.emit(Resumed(checkpoint.step_of(newest) if newest else 0))  # without a checkpoint it starts over
    with reporter.stoppable():
        trainer.train(resume_from_checkpoint=str(newest) if newest else None)
    if reporter.is_stopping and trainer.state.global_step < plan.steps:
        raise SystemExit(STOPPED)
    history = trainer.state.log_history
    best = best_of(history) if params.takes_best else None
    _save(trainer.model, tokenizer, model, run, folder / f"checkpoint-{best.step}" if best else None)

    evaluations = [entry for entry in history if "eval_loss" in entry]
    evaluated = next((entry for entry in evaluations if best and entry["step"] == best.step), (evaluations or [{}])[-1])
    return {
        "model": "adapter" if params.adds_matrices else "base",
        "continued_from": model.name,
        "train_loss": _mean_loss(history),
        "eval_loss": evaluated.get("eval_loss"),
        "eval_token_accuracy": evaluated.get("eval_mean_token_accuracy"),
        "best_step": best.step if best else None,
        "stopped_early": int(trainer.state.global_step) < plan.steps,
        "steps": int(trainer.state.global_step),
        "samples": len(set(places)),
        "samples_seen": len(places),  # each as often as it was trained on
        "tokens": int(tokens[-1]),
        "left_out": left_out,
        "trainable_parameters": trainable,
        "all_parameters": parameters,
        "seconds": round(time.monotonic() - started, 1),
        "peak_memory_bytes": memory.peak().bytes,
        "device": memory.peak().device,
    }


def _data(params: SftParams, dataset: Path, weights: Any) -> tuple[Dataset, Dataset, Any, dict[str, int]]:
    """Training rows, rows held out, tokens of each training row, and what was left out of both."""
    context = context_of(weights.config)
    train_rows, valid_rows = (
        read_rows(dataset / name, context, weights.config.vocab_size) for name in ("train.parquet", "valid.parquet")
    )
    if not len(train_rows):
        raise UserError(
            f"no row of the dataset can be used ({_counts(train_rows.left_out) or 'it is empty'})", field="dataset"
        )
    left_out = {
        reason: train_rows.left_out.get(reason, 0) + valid_rows.left_out.get(reason, 0)
        for reason in {**train_rows.left_out, **valid_rows.left_out}
    }
    if left_out:
        log.warning("rows left out: %s", _counts(left_out))
    trained, held_out = Dataset(train_rows.table), _shortest_first(valid_rows)
    if not params.packing:
        return trained, held_out, train_rows.lengths, left_out
    width = min(context, max(1024, int(train_rows.lengths.max())))
    trained = pack_dataset(trained, width)
    if len(held_out):
        held_out = pack_dataset(held_out, max(width, int(valid_rows.lengths.max())))
    return trained, held_out, np.array([len(ids) for ids in trained["input_ids"]]), left_out


def _shortest_first(rows: Rows) -> Dataset:
    dataset = Dataset(rows.table)
    return dataset.select(np.argsort(rows.lengths, kind="stable").tolist()) if len(rows) else dataset


def _save(trained: Any, tokenizer: Any, model: Model, run: RunDir, best: Path | None) -> None:
    """Write the model: the weights in memory, or those of the best checkpoint."""
    with atomic_folder(run.artifacts / "model") as folder:
        if best is None:
            trained.save_pretrained(folder)
        else:
            copy_model(best, folder)
        tokenizer.save_pretrained(folder)
        (folder / "README.md").unlink(missing_ok=True)  # PEFT's empty model card
        config = folder / "adapter_config.json"
        if config.exists():
            values = json.loads(config.read_text(encoding="utf-8"))
            values["base_model_name_or_path"] = str(Path(model.weights).resolve())
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


def _counts(left_out: dict[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in left_out.items())
