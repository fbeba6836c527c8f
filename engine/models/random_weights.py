"""A model of some shape with random weights, to measure how fast it is; refused where it does not fit the memory.

Imports torch: for worker processes only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psutil
import torch

from engine.errors import UserError
from engine.models.loading import best_device, best_dtype, context_of

GIB = 1 << 30
SPARE = 1.2  # times the weights: what else is in memory before they are used


def random_model(config: Mapping[str, Any], tokens: int, seed: int, *, needs: int = 0) -> Any:
    """The model on the device at hand. `tokens`: of its longest sequence; `needs`: bytes of all that is done with it.

    Raises UserError where no model can be made of `config`, or it is too large.
    """
    from transformers import AutoConfig, AutoModelForCausalLM

    values = {name: value for name, value in config.items() if name not in ("auto_map", "quantization_config")}
    try:
        made = AutoConfig.for_model(str(values.pop("model_type", "")), **values)
        with torch.device("meta"):
            empty = AutoModelForCausalLM.from_config(made)
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(f"shape: no model can be made of this config.json: {error}") from None
    if tokens > context_of(made):
        raise UserError(
            f"shape: a sequence of {tokens} tokens, new ones included, exceeds the {context_of(made)} that it takes; "
            "ask for fewer"
        )
    device = best_device()
    dtype = best_dtype(device)
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else psutil.virtual_memory().available
    weights = int(SPARE * dtype.itemsize * sum(each.numel() for each in empty.parameters()))
    for what, need in (("its weights need", weights), ("what is measured needs", needs)):
        if need > free:
            raise UserError(
                f"shape: {what} {need / GIB:.1f} GiB in {dtype}, and {free / GIB:.1f} GiB are free on this "
                f"{device.type}; choose a smaller shape, or measure where there is more memory"
            )
    torch.manual_seed(seed)
    with torch.device(device):
        return AutoModelForCausalLM.from_config(made, dtype=dtype).eval()
