"""One training session, from the run's folder to the finished adapter; continues where a killed one stopped.

Imports torch, transformers and TRL: for worker processes only.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from transformers import set_seed
from trl import pack_dataset

from engine.domain import Model
from engine.errors import UserError
from engine.events import Progress
from engine.models.loading import best_device, context_of, load_tokenizer
from engine.rundir import RunDir
from engine.trainers.arguments import Plan, arguments
from engine.trainers.best import BestKept
from engine.trainers.exact_loss import LeanSFTTrainer
from engine.trainers.memory_check import longest_row
from engine.trainers.reporting import Reporter
from engine.trainers.rows import Rows, check_same_tokenizer, order, read_rows
from engine.trainers.running import run_to_end
from engine.trainers.sft_settings import PACKED_TOKENS, SftParams
from engine.trainers.weights import precision, prepare, trained_exactly

log = logging.getLogger(__name__)


def train(params: SftParams, model: Model, dataset: Path, seed: int, run: RunDir) -> dict[str, Any]:
    """See `engine.trainers.Trainer.train`."""
    started = time.monotonic()
    run.emit(Progress(0, text="loading the model and the dataset"))
    compute = precision(params, best_device())
    tokenizer = load_tokenizer(Path(model.weights))
    check_same_tokenizer(dataset, tokenizer)
    set_seed(seed)  # before the new matrices are drawn
    weights = prepare(params, model, longest_row(dataset))
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
    figures = run_to_end(trainer, reporter, params, model, tokenizer, run, plan.steps)
    return figures | {
        "samples": len(set(places)),
        "samples_seen": len(places),  # each as often as it was trained on
        "tokens": int(tokens[-1]),
        "left_out": left_out,
        "seconds": round(time.monotonic() - started, 1),
    }


def _data(params: SftParams, dataset: Path, weights: Any) -> tuple[Dataset, Dataset, Any, dict[str, int]]:
    """Training rows, rows held out, tokens of each training row, and what was left out of both."""
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
    trained, held_out = Dataset(train_rows.table), _shortest_first(valid_rows)
    if not params.packing:
        return trained, held_out, train_rows.lengths, left_out
    width = min(context, max(PACKED_TOKENS, int(train_rows.lengths.max())))
    trained = pack_dataset(trained, width)
    if len(held_out):
        held_out = pack_dataset(held_out, max(width, int(valid_rows.lengths.max())))
    return trained, held_out, np.array([len(ids) for ids in trained["input_ids"]]), left_out


def _shortest_first(rows: Rows) -> Dataset:
    dataset = Dataset(rows.table)
    return dataset.select(np.argsort(rows.lengths, kind="stable").tolist()) if len(rows) else dataset


def counts(left_out: dict[str, int]) -> str:
    """As in "3 no target, 1 longer than the model's context"."""
    return ", ".join(f"{count} {reason}" for reason, count in left_out.items())
