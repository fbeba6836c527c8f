"""Where the weights of a model go: all on the device, or below a memory cap with some layers in main memory.

Imports torch: for worker processes only.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import torch

from engine.errors import UserError
from engine.main_memory import main_memory
from engine.models.shape import read_config
from engine.trainers.memory_check import DEFAULT_TOKENS
from engine.trainers.memory_estimate import estimate
from engine.trainers.memory_settings import MB
from engine.trainers.training_settings import TrainingParams

log = logging.getLogger(__name__)


def placement(
    params: TrainingParams, weights: Path, device: torch.device, tokens: int = DEFAULT_TOKENS
) -> dict[str, Any]:
    """Options of `from_pretrained`, after which torch keeps this process below the cap on that GPU.

    `tokens`: of the longest row. With `offload`, layers that do not fit beside all else that a step needs stay in main
    memory (accelerate's device map). Raises UserError if not even one layer fits.
    """
    whole = {"device_map": {"": device}}
    cap = params.cap_bytes
    if cap is None:
        return whole
    if device.type == "cpu":
        log.warning("memory_cap_mb and offload are about a GPU's memory; on a CPU they have no effect")
        return whole
    total = int(torch.cuda.mem_get_info(device)[1])
    torch.cuda.set_per_process_memory_fraction(min(1.0, cap / total), device)
    if not params.offload:
        return whole
    found = estimate(read_config(weights), params, tokens, "cuda")
    room = cap - (found.total - found.weights)
    if found.total > cap:
        raise UserError(
            f"memory_cap_mb: with every layer but one in main memory it needs {found.total / MB:,.0f} MB, and the cap "
            f"is {params.memory_cap_mb:,} MB; raise it, or take a smaller batch or shorter rows",
            field="trainer.memory_cap_mb",
        )
    log.info("of the weights, %s MB stay on the GPU", f"{room / MB:,.0f}")
    index = device.index if device.index is not None else torch.cuda.current_device()
    return {"device_map": "auto", "max_memory": {index: room, "cpu": main_memory().free_bytes}}
