"""One training session, from the run's folder to the finished adapter; continues where a killed one stopped.

Imports torch, transformers and TRL: for worker processes only.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset, concatenate_datasets
from transformers import set_seed

from engine import ranks
from engine.domain import Model
from engine.errors import UserError
from engine.events import Progress
from engine.models.loading import best_device, context_of, load_tokenizer
from engine.rundir import RunDir
from engine.trainers import layer_compile
from engine.trainers.arguments import Plan, arguments
from engine.trainers.exact_loss import LeanSFTTrainer
from engine.trainers.memory_check import longest_row
from engine.trainers.reporting import Reporter
from engine.trainers.rows import IGNORED, Rows, check_same_tokenizer, order, read_rows
from engine.trainers.running import run_to_end
from engine.trainers.sft_settings import SftParams
from engine.trainers.speed import free_bytes, put_into_effect, settled, steps_of
from engine.trainers.weights import precision, prepare, trained_exactly

log = logging.getLogger(__name__)


def train(params: SftParams, model: Model, dataset: Path, seed: int, run: RunDir) -> dict[str, Any]:
    """See `engine.trainers.Trainer.train`."""
    started = time.monotonic()
    run.emit(Progress(0, text="loading the model and the dataset"))
    layer_compile.keep_in(run.path.parent.parent)
    device = best_device()
    compute, free = precision(params, device), free_bytes(device)
    tokenizer = load_tokenizer(Path(model.weights))
    check_same_tokenizer(dataset, tokenizer)
    set_seed(seed)  # before the new matrices are drawn
    weights = prepare(params, model, longest_row(dataset))
    train_rows, held_out, left_out = _data(dataset, weights)
    trained, lengths = Dataset(train_rows.table), train_rows.lengths
    evaluates = params.evaluation != "no" and len(held_out) > 0
    if params.chooses_by_loss and not evaluates:
        raise UserError(
            "no row of the dataset is held out for evaluation, so there is no best checkpoint; build it with some, or "
            "leave early_stopping and best_checkpoint out",
            field="dataset",
        )
    plan = Plan.of(params, len(trained))
    per_step = params.batch_size * params.accumulation
    choice = settled(params, weights, train_rows, plan.steps * per_step, free, compute, run)
    params = choice.params
    put_into_effect(params, weights, compute)
    together = per_step if params.plans_steps else params.batch_size  # rows of similar length
    places = order(lengths, plan.steps * per_step, seed, together, params.group_by_length)
    tokens = np.concatenate([[0], lengths[places].reshape(plan.steps, per_step).sum(axis=1).cumsum()])

    folder = run.artifacts / "checkpoints"
    reporter = Reporter(run, tokens.tolist(), len(trained) / per_step, params.keep_checkpoints)
    given = arguments(params, plan, compute, folder, seed, evaluates=evaluates)
    with trained_exactly(weights):
        trainer = LeanSFTTrainer(
            model=weights,
            args=given,
            train_dataset=trained if params.plans_steps else trained.select(places),
            eval_dataset=_in_whole_batches(held_out, given.per_device_eval_batch_size) if evaluates else None,
            processing_class=tokenizer,
            callbacks=[reporter],
            steps=steps_of(params, trained, places, lengths, tokenizer.pad_token_id, on_gpu=device.type == "cuda"),
        )
    figures = run_to_end(trainer, reporter, params, model, tokenizer, run, plan.steps)
    return figures | {
        "samples": len(set(places)),
        "samples_seen": len(places),  # each as often as it was trained on
        "tokens": int(tokens[-1]),
        "left_out": left_out,
        **({"speed": "; ".join(choice.words), "speed_settings": choice.settings} if choice.words else {}),
        "seconds": round(time.monotonic() - started, 1),
    }


def _data(dataset: Path, weights: Any) -> tuple[Rows, Dataset, dict[str, int]]:
    """Training rows, rows held out, and what was left out of both."""
    context = context_of(weights.config)
    train_rows, valid_rows = (
        read_rows(dataset / name, context, weights.config.vocab_size) for name in ("train.parquet", "valid.parquet")
    )
    if not len(train_rows):
        raise UserError(
            f"no row of the dataset can be used ({counts(train_rows.left_out) or 'it is empty'})", field="dataset"
        )
    left_out = {
        reason: train_rows.left_out.get(reason, 0) + valid_rows.left_out.get(reason, 0)
        for reason in {**train_rows.left_out, **valid_rows.left_out}
    }
    if left_out:
        log.warning("rows left out: %s", counts(left_out))
    return train_rows, _shortest_first(valid_rows), left_out


def _shortest_first(rows: Rows) -> Dataset:
    dataset = Dataset(rows.table)
    return dataset.select(np.argsort(rows.lengths, kind="stable").tolist()) if len(rows) else dataset


def _in_whole_batches(rows: Dataset, batch: int) -> Dataset:
    """With rows without a target at the end, so that each of several processes has as many whole batches as the others.

    accelerate would repeat the first rows instead, which then counted twice.
    """
    missing = -len(rows) % (batch * ranks.count()) if ranks.count() > 1 else 0
    if not missing:
        return rows
    blank = {"input_ids": [[0, 0]] * missing, "labels": [[IGNORED, IGNORED]] * missing}
    return concatenate_datasets([rows, Dataset.from_dict(blank, features=rows.features)])


def counts(left_out: dict[str, int]) -> str:
    """As in "3 no target, 1 longer than the model's context"."""
    return ", ".join(f"{count} {reason}" for reason, count in left_out.items())
