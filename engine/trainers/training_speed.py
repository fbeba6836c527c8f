"""How fast a model of some shape is trained here: what most tools do by default, and what `speed` auto chooses.

Weights are random and rows are drawn with the lengths of real ones, since neither changes how long a step takes. Both
ways train LoRA of rank 16 on all linear layers of one model, one after the other in one process, on the same rows.
Imports torch: for worker-like processes only.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from transformers import Trainer, TrainerCallback, TrainingArguments

from engine.assets import STARTER_MODEL
from engine.models.loading import best_device, best_dtype, load_tokenizer
from engine.models.published import RowLengths
from engine.models.random_weights import random_model
from engine.models.shape import Shape
from engine.trainers import memory
from engine.trainers.arguments import Plan, arguments
from engine.trainers.exact_loss import LeanSFTTrainer
from engine.trainers.fastest import Choice, choose, needed_bytes
from engine.trainers.rows import IGNORED, order
from engine.trainers.sft_settings import SftParams
from engine.trainers.speed import free_bytes, place_of, put_into_effect, steps_of

BATCH = 16  # rows of an optimizer step, in both ways
WARM_UP = 3  # steps that are not counted
MATRIX_S = 1.0  # how long the rate of matrix products is measured


@dataclass(frozen=True)
class Way:
    """One way of training as it was measured; tokens do not count padding."""

    tokens_per_s: float
    computed_tokens: int  # of the counted steps, padding included
    tokens: int
    warm_up_s: float  # what the first steps took beyond the usual time
    matrix_share: float  # of the rate at which the device multiplies matrices
    peak_memory_bytes: int


@dataclass(frozen=True)
class TrainingSpeed:
    """Both ways, and their ratio."""

    parameters: int
    dtype: str
    device: str
    matrix_flops: float  # a second, of a large matrix product
    default: Way
    ours: Way
    ratio: float
    chosen: tuple[str, ...]
    settings: dict[str, Any]


def measure(config: Mapping[str, Any], lengths: RowLengths, steps: int, seed: int = 0) -> TrainingSpeed:
    """Train `steps` counted steps in each way. Raises UserError where the shape does not fit the memory."""
    shape, device = Shape.of(config), best_device()
    lengths = lengths.within(int(config.get("max_position_embeddings", lengths.longest)))
    free, kind = free_bytes(device), "cuda" if device.type == "cuda" else "cpu"
    padded = SftParams(batch_size=BATCH, activation_checkpointing=True).filled()
    model = random_model(
        config,
        lengths.longest,
        seed,
        needs=needed_bytes(padded, config, lengths.longest, kind),  # type: ignore[arg-type]
    )
    model.config.use_cache = False
    rows = _rows((WARM_UP + steps) * BATCH, lengths, model.config.get_text_config().vocab_size, seed)
    sizes = np.array([len(ids) for ids in rows["input_ids"]])
    model = _with_matrices(model)
    rate = _matrix_rate(device)
    flops = 4 * (shape.linear_parameters + shape.head_parameters)  # a token: forward, and backward to the activations

    def way(trainer: Any, clock: _Clock, computed: int) -> Way:
        _forget_peak()
        trainer.train()
        usual = median(clock.seconds[WARM_UP:])
        tokens = int(sizes[places[WARM_UP * BATCH :]].sum())
        speed = tokens / sum(clock.seconds[WARM_UP:])
        extra = max(0.0, sum(clock.seconds[:WARM_UP]) - WARM_UP * usual)
        return Way(round(speed, 1), computed, tokens, round(extra, 2), round(speed * flops / rate, 4), _peak())

    places = order(sizes, len(rows), seed, BATCH, False)
    counted = np.array(places[WARM_UP * BATCH :])
    with TemporaryDirectory(prefix="repair-studio-") as folder:
        clock = _Clock()
        default = way(
            _default(model, rows.select(places), len(places) // BATCH, clock, folder),
            clock,
            int(sizes[counted].reshape(-1, BATCH).max(axis=1).sum()) * BATCH,
        )
        model.activation_checkpointing_disable()
        choice = choose(
            SftParams(batch_size=BATCH, speed="auto").filled(), config, sizes, 10**6,
            place_of(model, free, best_dtype(device)),
        )  # fmt: skip
        clock = _Clock()
        trainer, computed = _ours(model, rows, places, sizes, choice, clock, folder, seed)
        ours = way(trainer, clock, computed)
    return TrainingSpeed(
        parameters=shape.parameters,
        dtype=str(best_dtype(device)).removeprefix("torch."),
        device=memory.peak().device,
        matrix_flops=rate,
        default=default,
        ours=ours,
        ratio=round(ours.tokens_per_s / default.tokens_per_s, 3),
        chosen=choice.words,
        settings=choice.settings,
    )


class _Clock(TrainerCallback):  # type: ignore[misc]
    """Seconds of each optimizer step; the device is waited for after each, in both ways."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._begun = 0.0

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._begun = time.perf_counter()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.seconds.append(time.perf_counter() - self._begun)


def _rows(count: int, lengths: RowLengths, vocabulary: int, seed: int) -> Dataset:
    drawn = np.random.default_rng(seed)
    ids = [drawn.integers(vocabulary, size=size).tolist() for size in lengths.draw(count, seed)]
    labels = [[IGNORED] * (cut := round(len(row) * (1 - lengths.target_share))) + row[cut:] for row in ids]
    return Dataset.from_dict({"input_ids": ids, "labels": labels})


def _with_matrices(model: Any) -> Any:
    from peft import LoraConfig, get_peft_model

    return get_peft_model(model, LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"))


def _default(model: Any, rows: Dataset, steps: int, clock: _Clock, folder: str) -> Trainer:
    """What most tools do: batches of 16 rows in random order, padded, checkpointed, the model's own loss."""
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    is_gpu = torch.cuda.is_available()
    return Trainer(
        model,
        TrainingArguments(
            folder, max_steps=steps, per_device_train_batch_size=BATCH, activation_checkpointing=True,
            bf16=is_gpu and best_dtype(best_device()) is torch.bfloat16, train_sampling_strategy="sequential",
            save_strategy="no", logging_strategy="no", report_to="none", disable_tqdm=True, use_cpu=not is_gpu,
        ),
        train_dataset=rows,
        data_collator=DataCollatorForLanguageModeling(pad_token_id=0),
        callbacks=[clock],
    )  # fmt: skip


def _ours(
    model: Any, rows: Dataset, places: list[int], sizes: Any, choice: Choice, clock: _Clock, folder: str, seed: int
) -> tuple[Any, int]:
    """The product's own trainer with the choice, and how many tokens its counted steps compute."""
    params, device = choice.params, best_device()
    dtype = best_dtype(device)
    put_into_effect(params, model, dtype)
    tokenizer = load_tokenizer(STARTER_MODEL)  # for its padding alone
    if params.group_by_length:
        places[:] = order(sizes, len(places), seed, BATCH, True)
    steps = steps_of(params, rows, places, sizes, 0, on_gpu=device.type == "cuda")
    assert steps is not None, "the choice always says how many tokens are computed at a time"
    count = len(places) // BATCH
    plan = Plan(count, count, count, count)
    made = arguments(params, plan, dtype, Path(folder), seed, evaluates=False)
    made.save_strategy, made.logging_strategy = "no", "no"
    made.logging_first_step = False
    trainer = LeanSFTTrainer(
        model=model, args=made, train_dataset=rows, processing_class=tokenizer, callbacks=[clock], steps=steps
    )
    counted = [places[step * BATCH : (step + 1) * BATCH] for step in range(WARM_UP, count)]
    computed = sum(steps.division.computed(steps.division.batches(each, sizes), sizes) for each in counted)
    return trainer, computed


def _matrix_rate(device: torch.device) -> float:
    """Floating-point operations a second of a large matrix product in the number type of the computation."""
    size = 8192 if device.type == "cuda" else 1024
    one, other = (torch.randn(size, size, device=device, dtype=best_dtype(device)) for _ in range(2))
    best, ended = float("inf"), time.perf_counter() + MATRIX_S
    while time.perf_counter() < ended or best == float("inf"):
        if device.type == "cuda":
            torch.cuda.synchronize()
        begun = time.perf_counter()
        one @ other
        if device.type == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - begun)
    return 2 * size**3 / best


def _forget_peak() -> None:
    """Begin a new peak; on a CPU Linux' own, which is written there (proc(5), /proc/pid/clear_refs)."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        return
    Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    """Bytes of the peak since `_forget_peak`."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_reserved())
    return memory.most_resident()
