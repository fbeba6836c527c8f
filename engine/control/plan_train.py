"""The plan of a training: its tokens at the speed of an earlier one like it, its evaluations, and its checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from engine.control.bench_files import Bench
from engine.control.datasets import Datasets
from engine.control.measured import Measured, launcher_of, measured
from engine.control.models import Models
from engine.control.runs import Runs
from engine.control.views import DatasetView
from engine.errors import UserError
from engine.models.shape import Shape
from engine.plan import DISK, TIME, TRAINED, Cluster, Line, Plan, Stepping, stepping, times_in
from engine.plugins import TRAINERS
from engine.spec_files import changed
from engine.specs import TrainingSpec
from engine.trainers.steps import Plan as Steps

FEW = 10  # steps of a short run


def train_plan(
    spec: TrainingSpec, cluster: Cluster, bench: Sequence[Bench], runs: Runs, models: Models, datasets: Datasets
) -> Plan:
    """Raises UserError where there is no such dataset, or more cards than rows of a step."""
    data = None if "bugs" in TRAINERS.create(spec.trainer).accepts else datasets.get(spec.dataset)
    params: Any = spec.trainer
    steps = Steps.of(params, data.train_rows if data else 0)
    if data:
        tokens = _mean(data) * steps.steps * params.batch_size * params.accumulation
        tokens = min(tokens, _mean(data) * data.train_rows * params.epochs) if not params.max_steps else tokens
    else:
        tokens = 0.0
    values = spec.model_dump(mode="json")
    one = measured(runs, "train", _like, values, "tokens" if tokens else "steps")
    if one and (cluster.cards(one.cards) > 0) != (one.cards > 0):
        one = None
    cards = cluster.cards(one.cards if one else 0)
    if cards > params.batch_size:
        raise UserError(
            f"--nodes, --gpus: the {params.batch_size} rows of a batch cannot be shared by {cards} GPUs; take fewer, "
            "or raise trainer.batch_size",
            field="trainer.batch_size",
        )
    head = [Line(TRAINED, tokens, "tokens", f"{steps.steps:,} steps of {spec.dataset}")] if tokens else []
    evaluates = params.evaluation != "no" and bool(data and data.valid_rows)
    evaluations = times_in(steps.steps, steps.eval_every) if evaluates else 0
    checkpoints = times_in(steps.steps, steps.save_every)
    if one:
        each = _each(one, data, datasets, bool(tokens))
        later = (tokens or steps.steps) * (1 - 1 / max(steps.steps, 1))  # the first step is a part of the start
        shared, alone = stepping(later, evaluations, checkpoints, each, cards)
        start = max(0.0, one.seconds - sum(one.rates[name] for name in ("training", "evaluating", "saving")))
        return Plan(
            (Line(TIME, start + shared + alone, "s", _said(one)), *head, _disk(one)),
            cluster.nodes,
            cards,
            start + alone,
            tuple(_notes(one, each, evaluations, checkpoints, cards)),
        )
    first = runs.command(changed(spec, [f"trainer.max_steps={FEW}", 'name=""']))
    rate = _of_bench(spec, bench, models) if cards and tokens else None
    if rate and rate.ours:
        source = f"{rate.said}: {rate.ours.tokens_per_s:,.0f} tokens/s"
        notes = ("the start, evaluations and checkpoints are not counted: no training like it is done",)
        line = Line(TIME, tokens / rate.ours.tokens_per_s / cards, "s", source)
        return Plan((line, *head), cluster.nodes, cards, None, (*notes, *_shared(cards, 1)), first)
    where = "on such cards" if cards else "here"
    why = f"no training of this model by this method is done {where}, and no bench of a model of its size is given"
    return Plan((Line(TIME, None, "s", why), *head), cluster.nodes, cards, None, (), first)


def _like(spec: Mapping[str, Any]) -> object:
    """What has to be the same for a training to be as fast as another."""
    trainer = spec.get("trainer")
    values = trainer if isinstance(trainer, dict) else {}
    names = ("name", "method", "base_bits", "packing", "activation_checkpointing", "precision", "speed", "rank",
             "target_modules", "batch_size")  # fmt: skip
    return [spec.get("model"), *(values.get(name) for name in names), launcher_of(spec)]


def _mean(data: DatasetView) -> float:
    """Tokens of a sample, padding not counted; where no mean is stored, of each the middle of its bar."""
    if data.mean_tokens is not None:
        return data.mean_tokens
    edges, counts = data.histogram["edges"], data.histogram["counts"]
    middles = ((low + high) / 2 for low, high in pairwise(edges))
    return sum(middle * count for middle, count in zip(middles, counts, strict=True)) / max(sum(counts), 1)


def _each(one: Measured, data: DatasetView | None, datasets: Datasets, by_tokens: bool) -> Stepping:
    rates = one.rates
    evaluated, saved = rates["evaluations"], rates["checkpoints"]
    rows = 1.0
    if evaluated and data:
        try:
            rows = data.valid_rows / max(datasets.get(str(one.run.spec.get("dataset"))).valid_rows, 1)
        except UserError:  # the dataset was deleted
            rows = 1.0
    return Stepping(
        unit_s=rates["training"] / rates["tokens" if by_tokens else "steps"],
        evaluation_s=rates["evaluating"] / evaluated * rows if evaluated else None,
        checkpoint_s=rates["saving"] / saved if saved else None,
        cards=one.cards,
    )


def _said(one: Measured) -> str:
    rates = one.rates
    unit = "tokens" if rates.get("tokens") else "steps"
    return one.said(f"{rates[unit] / max(rates['training'], 1e-9):,.0f} {unit}/s over {rates['steps']:,.0f} steps")


def _notes(one: Measured, each: Stepping, evaluations: int, checkpoints: int, cards: int) -> list[str]:
    spent = [
        f"{number:,} {what}{'s' * (number > 1)} of {seconds:,.1f} s"
        if seconds is not None
        else f"{number:,} {what}{'s' * (number > 1)}, not counted: run {one.run.id} had none"
        for number, what, seconds in (
            (evaluations, "evaluation", each.evaluation_s), (checkpoints, "checkpoint", each.checkpoint_s)
        )
        if number
    ]  # fmt: skip
    return [*([", ".join(spent)] if spent else []), *_shared(cards, one.cards)]


def _shared(cards: int, measured_on: int) -> list[str]:
    """What a plan for more cards than were measured assumes."""
    if cards <= max(measured_on, 1):
        return []
    return [
        f"the steps are divided by {cards} cards as if nothing were lost between them, since {max(measured_on, 1)} was "
        "measured: it takes no less; a short run on two cards tells what is lost"
    ]


def _disk(one: Measured) -> Line:
    return Line(DISK, float(one.bytes), "bytes", one.said("its model, and the checkpoints that it kept"))


def _of_bench(spec: TrainingSpec, bench: Sequence[Bench], models: Models) -> Bench | None:
    try:
        size = Shape.of(models.config(models.nearest(models.resolve(spec.model)))).parameters
    except UserError:
        return None
    return next((each for each in bench if each.ours and each.fits(size)), None)
