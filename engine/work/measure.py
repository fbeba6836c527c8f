"""Measures the peak memory of a few steps of a training with its longest rows, in processes of their own.

Each runs the real session of a training on the longest rows of the dataset, and is ended after its last step, before
anything is written. Two sizes tell what grows with the batch and what does not.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine.domain import Model
from engine.errors import OutsideFailure, UserError
from engine.events import Metric, Progress, State
from engine.models.shape import read_config
from engine.params import Params
from engine.plugins import TRAINERS
from engine.rundir import Inputs, RunDir
from engine.specs import MeasureSpec, TrainSpec
from engine.trainers.memory_calibration import Calibration, Point, key_of
from engine.trainers.memory_check import fitted, free_here, longest_row
from engine.trainers.panel_settings import PanelParams
from engine.trainers.watch_settings import WatchParams
from engine.work.train import context_of

STEPS = 8  # the peak of the first is lower: the optimizer's state comes with it
PEAK = "memory_peak_bytes"
SPARE = 50  # small models make many steps between two looks
LOOK_S = 0.2
FILES = ("train.parquet", "valid.parquet")


@dataclass(frozen=True)
class Size:
    """Rows of one forward pass, and the tokens that the longest may have."""

    batch: int
    tokens: int


def measure(spec: MeasureSpec, inputs: Inputs, run: RunDir) -> dict[str, Any]:
    """Returns the correction of the estimate. Raises UserError, OutsideFailure where a training could not run."""
    model = inputs.model
    if model is None or not inputs.dataset:
        raise UserError("a model and a dataset are needed", field="model" if model is None else "dataset")
    room, config = free_here(), read_config(Path(model.weights))
    params = fitted(spec.trainer, model)
    longest = min(longest_row(Path(inputs.dataset)), context_of(model))
    points, peak, estimated = [], 0, 0
    sizes = _sizes(getattr(params, "batch_size", 1), longest)
    for number, size in enumerate(sizes):
        said = f"{STEPS} steps with {size.batch} rows of up to {size.tokens:,} tokens"
        run.emit(Progress(number, len(sizes), said))
        chosen = _short(params, size.batch)
        folder = run.artifacts / f"batch-{size.batch}-tokens-{size.tokens}"
        shutil.rmtree(folder, ignore_errors=True)
        tokens = write_longest(Path(inputs.dataset), folder / "rows", size)
        estimate = TRAINERS.create(chosen).estimate(config, tokens, room.device)
        if estimate is None:
            raise UserError(f"{spec.trainer.name} cannot estimate its memory, so there is nothing to correct")
        tried = TrainSpec(name=spec.name, model=spec.model, dataset=spec.dataset, trainer=chosen)
        peak = _peak(tried, model, folder, said)
        points.append(Point.of(estimate, peak))
        estimated = estimate.total
        run.emit(Metric(number, {"estimated_bytes": float(estimated), PEAK: float(peak)}))
        shutil.rmtree(folder / "rows", ignore_errors=True)
    found = Calibration.of(points)
    return {
        "key": key_of(config, params, room.name), "offset": found.offset, "factor": found.factor,
        "estimated": estimated, "peak_memory_bytes": peak, "device": room.name,
        "points": [asdict(point) for point in points],
    }  # fmt: skip


def write_longest(dataset: Path, folder: Path, size: Size) -> int:
    """Write the longest rows of a dataset that are no longer than the size allows, and return the longest's tokens."""
    folder.mkdir(parents=True)
    table = pq.read_table(dataset / FILES[0])
    lengths = table["n_tokens"].to_numpy()
    if "rejected_ids" in table.schema.names:
        answers = np.nan_to_num(pc.list_value_length(table["rejected_ids"]).to_numpy())
        lengths = np.maximum(lengths, table["n_prompt"].to_numpy() + answers)
    usable = np.flatnonzero(lengths <= size.tokens)
    if not len(usable):
        usable = np.array([int(lengths.argmin())])
    rows = usable[np.argsort(-lengths[usable], kind="stable")][: size.batch]
    taken = table.take(pa.array(rows))
    for name in FILES:
        pq.write_table(taken, folder / name)
    if (dataset / "tokenizer").is_dir():
        shutil.copytree(dataset / "tokenizer", folder / "tokenizer")
    return int(lengths[rows].max())


def _sizes(batch: int, longest: int) -> list[Size]:
    """Half of the batch and all of it; of a single row, one about half as long and the longest."""
    half = Size(batch // 2, longest) if batch > 1 else Size(1, longest // 2)
    return [half, Size(batch, longest)]


OF_WATCHING = (*WatchParams.model_fields.items(), *PanelParams.model_fields.items())


def _short(params: Params, batch: int) -> Params:
    """The settings for a few steps of this batch, without evaluations and without telling anybody."""
    quiet = {name: info.get_default(call_default_factory=True) for name, info in OF_WATCHING}
    # steps more than are looked at: the end of a training writes the model, which is not to be measured
    quiet |= {"evaluation": "no", "logging_steps": 1, "save_steps": 10**8, "max_steps": STEPS + SPARE}
    quiet |= {"batch_size": batch, "accumulation": 1, "start_anyway": True}
    known = type(params).model_fields
    settings = params.model_dump() | {name: value for name, value in quiet.items() if name in known and name != "name"}
    return type(params).model_validate(settings)


def _peak(spec: TrainSpec, model: Model, folder: Path, said: str) -> int:
    """The peak of one short training. Raises OutsideFailure if it ends before its last step."""
    run = RunDir.create(folder, spec.model_dump(mode="json"), Inputs(model=model, dataset=str(folder / "rows")))
    with run.log.open("ab") as log:
        worker = subprocess.Popen(
            [sys.executable, "-P", "-m", "engine.work", str(folder)],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        while True:
            has_ended = worker.poll() is not None  # asked before the events are read
            peaks, last = _seen(run)
            if len(peaks) >= STEPS:
                return int(max(peaks))
            if has_ended:
                why = last.error if last else f"the process ended with {worker.returncode}"
                if last and last.state == "done" and last.result and last.result.get("peak_memory_bytes"):
                    return int(last.result["peak_memory_bytes"])  # a trainer that does not tell it step by step
                raise OutsideFailure(f"{said} could not be trained: {why}")
            time.sleep(LOOK_S)
    finally:
        worker.kill()
        worker.wait()


def _seen(run: RunDir) -> tuple[list[float], State | None]:
    """The peaks that a training has told, one a step, and its last state."""
    peaks: dict[int, float] = {}
    last = None
    for event in run.all_events():
        if isinstance(event.payload, Metric) and PEAK in event.payload.values:
            peaks[event.payload.step] = event.payload.values[PEAK]
        elif isinstance(event.payload, State):
            last = event.payload
    return list(peaks.values()), last
