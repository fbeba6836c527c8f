"""Whether a training fits into the memory of a device, by the estimate, corrected where it was measured here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from engine.domain import Model
from engine.errors import DoesNotFit, UserError
from engine.gpus import visible
from engine.main_memory import main_memory
from engine.models.shape import read_config
from engine.params import Params
from engine.plugins import TRAINERS
from engine.trainers import Device, Estimate
from engine.trainers.memory_advice import Advice, advice, advised
from engine.trainers.memory_calibration import Calibration, key_of

DEFAULT_TOKENS = 1024  # length of a row where there is no dataset
GB = 1e9
CPU = "CPU"


@dataclass(frozen=True)
class Room:
    """The memory of the device that a training would have."""

    device: Device
    name: str  # of the card, or "CPU"
    bytes: int


def free_here() -> Room:
    """What is free now for this process, with what it holds already: on the first GPU that it sees, else here."""
    if cards := visible():
        return Room("cuda", cards[0].name, cards[0].memory_bytes - cards[0].used_bytes)
    return Room("cpu", CPU, main_memory().free_bytes + psutil.Process().memory_info().rss)


def fitted(params: Params, model: Model) -> Params:
    """The settings with what they leave open, where the trainer can say it. Raises UserError."""
    trainer = TRAINERS.create(params)
    return trainer.fitted(model) if hasattr(trainer, "fitted") else params


def estimated(
    params: Params, config: Mapping[str, Any], tokens: int, room: Room, measured: Mapping[str, Calibration]
) -> Estimate | None:
    """The memory of one training; None if its trainer cannot tell. Raises UserError."""
    found = TRAINERS.create(params).estimate(config, tokens, room.device)
    known = measured.get(key_of(config, params, room.name)) if found else None
    return known.applied(found) if known and found else found


def limit(params: Params, room: Room) -> int:
    """What it may use: all the room, or on a GPU the cap of its settings."""
    cap = getattr(params, "cap_bytes", None)
    return min(room.bytes, cap) if cap is not None and room.device == "cuda" else room.bytes


def changes_that_fit(
    params: Params, config: Mapping[str, Any], tokens: int, room: Room, measured: Mapping[str, Calibration]
) -> tuple[Advice, ...]:
    """What to change so that it fits."""

    def needs(changed: Params, length: int) -> int | None:
        found = estimated(changed, config, length, room, measured)
        return found.total if found else None

    return advice(params, tokens, limit(params, room), needs)


def check_fits(params: Params, model: Model, tokens: int, measured: Mapping[str, Calibration]) -> None:
    """Raises DoesNotFit with what would fit, if the memory that is free now is less than the estimate."""
    if getattr(params, "start_anyway", False):
        return
    try:
        params, config, room = fitted(params, model), read_config(Path(model.weights)), free_here()
        found = estimated(params, config, tokens, room, measured)
    except UserError:
        return  # the session itself says what is wrong
    have = limit(params, room)
    if found is None or found.total <= have:
        return
    where = f"of {room.name}" if room.device == "cuda" else "of main memory"
    capped = " below memory_cap_mb" if have < room.bytes else ""
    source = "as measured here" if found.notes and "corrected" in found.notes[-1] else "as estimated"
    would = advised(changes_that_fit(params, config, tokens, room, measured))
    raise DoesNotFit(
        f"the training needs {found.total / GB:.1f} GB, {source}, with rows of up to {tokens:,} tokens, and "
        f"{have / GB:.1f} GB {where} are free{capped}; {would}; set trainer.start_anyway to true to try it as it is",
        field="trainer",
    )


def longest_row(dataset: Path) -> int:
    """Tokens of the longest row of a dataset; `DEFAULT_TOKENS` where it cannot be read."""
    longest = 0
    for name in ("train.parquet", "valid.parquet"):
        try:
            with pq.ParquetFile(dataset / name) as file:
                both = ["rejected_ids"] if "rejected_ids" in file.schema_arrow.names else []
                for batch in file.iter_batches(4096, columns=["n_tokens", "n_prompt", *both]):
                    lengths = batch["n_tokens"].to_numpy()
                    longest = max([longest, *lengths.tolist()])
                    if both:
                        answers = batch["rejected_ids"].value_lengths().fill_null(0).to_numpy()
                        longest = max([longest, *(batch["n_prompt"].to_numpy() + answers).tolist()])
        except (OSError, pa.ArrowException, KeyError):
            continue
    return longest or DEFAULT_TOKENS
