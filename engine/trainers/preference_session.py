"""A training session on preferences: pairs for DPO, or their answers one by one for KTO.

The reference is the model before the first step: the base with its new matrices switched off, a frozen copy of an
adapter that is trained further, or for `full` a second model. Imports torch and TRL: for worker processes only.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from transformers import set_seed
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer

from engine.domain import Model
from engine.errors import UserError
from engine.events import Progress
from engine.models.loading import best_device, context_of, load_tokenizer
from engine.rundir import RunDir
from engine.trainers.arguments import Plan, shared_arguments
from engine.trainers.interruptible import Interruptible
from engine.trainers.memory_check import longest_row
from engine.trainers.preference_rows import Pair, Single, lengths_of, read_pairs, read_singles, singles, table_of
from engine.trainers.preference_settings import DpoParams, KtoParams
from engine.trainers.reporting import Reporter
from engine.trainers.rows import check_same_tokenizer, order
from engine.trainers.running import REFERENCE, run_to_end
from engine.trainers.session import counts
from engine.trainers.weights import precision, prepare, trained_exactly
from engine.training_set import rows_in

log = logging.getLogger(__name__)
OURS = {
    "rewards/chosen": "reward_chosen",
    "rewards/rejected": "reward_rejected",
    "rewards/margins": "reward_margin",
    "rewards/accuracies": "reward_accuracy",
}
NAMES = OURS | {f"eval_{theirs}": f"eval_{ours}" for theirs, ours in OURS.items()}


class Tokenised(Interruptible):
    """A trainer of TRL on rows that are tokenised already."""

    def _prepare_dataset(self, dataset: Dataset, *args: Any) -> Dataset:
        return dataset


class PairTrainer(Tokenised, DPOTrainer):  # type: ignore[misc]
    """TRL's DPO."""


class SingleTrainer(Tokenised, KTOTrainer):  # type: ignore[misc]
    """TRL's KTO."""


def train(params: DpoParams | KtoParams, model: Model, dataset: Path, seed: int, run: RunDir) -> dict[str, Any]:
    """See `engine.trainers.Trainer.train`; `params` are filled in for this model."""
    started = time.monotonic()
    run.emit(Progress(0, text="loading the model and the dataset"))
    compute = precision(params, best_device())
    tokenizer = load_tokenizer(Path(model.weights))
    check_same_tokenizer(dataset, tokenizer)
    set_seed(seed)  # before the new matrices are drawn
    weights = prepare(params, model, longest_row(dataset))
    trained, held_out, left_out = _data(params, dataset, weights)
    evaluates = params.evaluation != "no" and len(held_out) > 0
    if params.chooses_by_loss and not evaluates:
        raise UserError(
            "no row of the dataset is held out for evaluation, so there is no best checkpoint; build it with some, or "
            "leave early_stopping and best_checkpoint out",
            field="dataset",
        )
    plan = Plan.of(params, len(trained))
    per_step = params.batch_size * params.accumulation
    lengths = lengths_of(trained)
    places = order(lengths, plan.steps * per_step, seed, params.batch_size, by_length=False)
    tokens = np.concatenate([[0], lengths[places].reshape(plan.steps, per_step).sum(axis=1).cumsum()])
    steps_per_epoch = len(trained) / per_step
    reporter = Reporter(run, tokens.tolist(), steps_per_epoch, params.keep_checkpoints, also=NAMES)
    shared = shared_arguments(params, plan, compute, run.artifacts / "checkpoints", seed, evaluates=evaluates)
    ordered: Sequence[Any] = [trained[place] for place in places]
    make, config = _trainer(params, shared)
    mismatched = params.batch_size if isinstance(params, KtoParams) and params.loss == "kto" else 0
    with trained_exactly(weights):
        trainer = make(
            model=weights,
            args=config,
            train_dataset=Dataset(table_of(ordered, mismatched)),
            eval_dataset=Dataset(table_of(held_out, mismatched and config.per_device_eval_batch_size))
            if evaluates
            else None,
            processing_class=tokenizer,
            callbacks=[reporter],
        )
    if params.adds_matrices and model.kind != "adapter":
        # TRL has copied the new matrices to compare with; they change nothing yet, so without any it is the same
        trainer.model.delete_adapter(REFERENCE)
    figures = run_to_end(trainer, reporter, params, model, tokenizer, run, plan.steps)
    return figures | {
        "samples": len(set(places)),
        "samples_seen": len(places),  # each as often as it was trained on
        "tokens": int(tokens[-1]),
        "left_out": left_out,
        **{f"last_{name}": value for name, value in _last(trainer.state.log_history).items()},
        "seconds": round(time.monotonic() - started, 1),
    }


def _trainer(params: DpoParams | KtoParams, shared: dict[str, Any]) -> tuple[Any, Any]:
    """TRL's trainer and its configuration; rows that are too long were left out, so none is cut off."""
    if isinstance(params, DpoParams):
        own = {"loss_type": [params.loss], "label_smoothing": params.label_smoothing}
        return PairTrainer, DPOConfig(**shared, **own, beta=params.beta, max_length=None)
    weights = {"desirable_weight": params.desirable_weight, "undesirable_weight": params.undesirable_weight}
    return SingleTrainer, KTOConfig(**shared, **weights, loss_type=params.loss, beta=params.beta, max_length=None)


def _data(
    params: DpoParams | KtoParams, dataset: Path, weights: Any
) -> tuple[Sequence[Pair] | Sequence[Single], Sequence[Pair] | Sequence[Single], dict[str, int]]:
    """Training rows, rows held out, and what was left out of both."""
    context, vocabulary = context_of(weights.config), weights.config.vocab_size
    is_single = isinstance(params, KtoParams) and rows_in(dataset) == "answers"
    read: Any = read_singles if is_single else read_pairs
    (trained, lost), (held_out, also_lost) = (
        read(dataset / name, context, vocabulary) for name in ("train.parquet", "valid.parquet")
    )
    left_out = {reason: lost.get(reason, 0) + also_lost.get(reason, 0) for reason in {**lost, **also_lost}}
    if not trained:
        raise UserError(f"no row of the dataset can be used ({counts(left_out) or 'it is empty'})", field="dataset")
    if left_out:
        log.warning("rows left out: %s", counts(left_out))
    if isinstance(params, KtoParams) and not is_single:
        trained, held_out = singles(trained), singles(held_out)
    if isinstance(params, KtoParams) and len({each.label for each in trained}) < 2:
        kind = "right" if trained[0].label else "wrong"
        raise UserError(
            f"every answer of the dataset is {kind}, and kto learns from both kinds; add the other one",
            field="dataset",
        )
    return trained, held_out, left_out


def _last(history: Sequence[dict[str, Any]]) -> dict[str, float]:
    """The last value of each metric that only these trainers have."""
    return {NAMES[name]: entry[name] for entry in history for name in entry if name in NAMES}
