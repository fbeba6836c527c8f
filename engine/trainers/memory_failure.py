"""After an out-of-memory: at which step it was, which samples were in the batch, and what would fit.

Imports torch: for worker processes only.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from engine.domain import Model
from engine.errors import OutOfMemory, OutsideFailure, UserError, is_out_of_memory
from engine.models.shape import read_config
from engine.params import Params
from engine.rundir import RunDir
from engine.trainers import memory
from engine.trainers.memory_advice import Advice, advice, advised
from engine.trainers.memory_check import Room, estimated, free_here, limit
from engine.trainers.rows import IGNORED
from engine.trainers.training_settings import TrainingParams

REPORT, SUMMARY = "out_of_memory.json", "memory_summary.txt"
MOST_NAMED = 10  # samples in the sentence; the report has all
ROOM_LEFT = 0.95  # of the memory, that a change has to stay below
STEPS = {"training_step": "training", "prediction_step": "evaluation"}  # methods that get a batch


@dataclass
class Last:
    """The batch that was computed last, and what it was for."""

    batch: Any = None
    what: str = "training"


@contextmanager
def explained(trainer: Any, params: TrainingParams, model: Model, run: RunDir) -> Iterator[None]:
    """Within this context an out-of-memory is raised as OutOfMemory, and the run's artifacts get its details."""
    last = Last()
    for name, what in STEPS.items():
        setattr(trainer, name, _remembering(getattr(trainer, name), last, what))
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        said = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        traceback.clear_frames(error.__traceback__)  # so that the tensors of the step do not stay
        raise OutOfMemory(_told(said, trainer, last, params, model, run)) from error
    finally:
        for name in STEPS:
            delattr(trainer, name)


def _remembering(method: Any, last: Last, what: str) -> Any:
    def step(model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        last.batch, last.what = inputs, what
        return method(model, inputs, *args, **kwargs)

    return step


def _told(said: str, trainer: Any, last: Last, params: TrainingParams, model: Model, run: RunDir) -> str:
    step, peak, room = int(trainer.state.global_step) + 1, memory.peak(), _whole_room()
    found, samples = sequences(last.batch), []
    with suppress(OutsideFailure):
        samples = named(found, Path(run.inputs().dataset)) if run.inputs().dataset else []
    samples = samples or [{"id": one if isinstance(one, str) else "", "tokens": _length(one)} for one in found]
    longest = max((one["tokens"] for one in samples), default=0)
    would = advised(_fitting(params, model, longest, room))
    report = {
        "step": step, "in": last.what, "error": said, "device": peak.device, "peak_bytes": peak.bytes,
        "device_bytes": room.bytes, "samples": samples, "advice": would,
    }  # fmt: skip
    with suppress(OSError):
        (run.artifacts / REPORT).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        (run.artifacts / SUMMARY).write_text(_summary(), encoding="utf-8")
    ids = ", ".join(f"{one['id'] or 'unknown'} ({one['tokens']:,} tokens)" for one in samples[:MOST_NAMED])
    more = f" and {len(samples) - MOST_NAMED} more" if len(samples) > MOST_NAMED else ""
    return (
        f"out of memory at step {step}, in the {last.what}, on {peak.device} with {peak.bytes / 1e9:.1f} GB in use: "
        f"{said}. The batch had {len(samples)} samples: {ids}{more}. By the estimate, {would}. "
        f"Details are in artifacts/{REPORT} and artifacts/{SUMMARY}"
    )


def sequences(batch: Any) -> list[Any]:
    """The token ids of each sample of a batch, without padding and apart where rows are packed.

    Of a training on verdicts, whose batch has no tokens yet, the ids of its bugs.
    """
    if isinstance(batch, Sequence):
        return [str(one.get("bug_id", "")) for one in batch if isinstance(one, Mapping)]
    if not isinstance(batch, Mapping) or "input_ids" not in batch:
        return []
    rows = batch["input_ids"].cpu().numpy()
    mask, places = (batch[name].cpu().numpy() if name in batch else None for name in ("attention_mask", "position_ids"))
    labels = batch["labels"].cpu().numpy() if places is not None else None
    found: list[Any] = []
    for number, row in enumerate(rows):
        if places is not None and labels is not None:
            pieces = np.split(row, np.flatnonzero(places[number] == 0)[1:])
            learned = np.split(labels[number] != IGNORED, np.flatnonzero(places[number] == 0)[1:])
            found += [piece for piece, own in zip(pieces, learned, strict=True) if own.any()]  # the others fill up
        else:
            found.append(row if mask is None else row[mask[number].astype(bool)])
    return found


def named(found: Sequence[Any], dataset: Path) -> list[dict[str, Any]]:
    """The sample that each sequence is, by its tokens; a worse answer of a preference is its sample's too."""
    known = {_key(one): "" for one in found if not isinstance(one, str)}
    for name in ("train.parquet", "valid.parquet"):
        with suppress(OSError, pa.ArrowException, KeyError), pq.ParquetFile(dataset / name) as file:
            columns = ["bug_id", "input_ids", "n_prompt"]
            columns += [each for each in ("rejected_ids",) if each in file.schema_arrow.names]
            for rows in file.iter_batches(500, columns=columns):
                for row in rows.to_pylist():
                    both = [row["input_ids"], row["input_ids"][: row["n_prompt"]] + (row.get("rejected_ids") or [])]
                    for ids in both:
                        if _key(ids) in known:
                            known[_key(ids)] = known[_key(ids)] or row["bug_id"]
    return [
        {"id": one, "tokens": 0} if isinstance(one, str) else {"id": known[_key(one)], "tokens": len(one)}
        for one in found
    ]


def _key(ids: Any) -> bytes:
    return np.asarray(ids, np.int32).tobytes()


def _length(one: Any) -> int:
    return 0 if isinstance(one, str) else len(one)


def _whole_room() -> Room:
    """All the memory of the device: what was needed was more than that."""
    if torch.cuda.is_available():
        return Room("cuda", torch.cuda.get_device_name(), int(torch.cuda.mem_get_info()[1]))
    return free_here()


def _fitting(params: TrainingParams, model: Model, tokens: int, room: Room) -> tuple[Advice, ...]:
    """Changes that fit, if each needs as much more than its estimate as what was just seen not to fit."""
    with suppress(UserError, ValueError):
        config, have = read_config(Path(model.weights)), limit(params, room)
        found = estimated(params, config, tokens, room, {})
        if found is None or not tokens:
            return ()
        missed = max(0, have - found.total)  # at least

        def needs(changed: Params, length: int) -> int | None:
            other = estimated(changed, config, length, room, {})
            return other.total + missed if other else None

        return advice(params, tokens, int(have * ROOM_LEFT), needs)
    return ()


def _summary() -> str:
    if torch.cuda.is_available():
        return str(torch.cuda.memory_summary())
    return "".join(Path(f"/proc/{name}").read_text(encoding="utf-8") for name in ("self/status", "meminfo"))
