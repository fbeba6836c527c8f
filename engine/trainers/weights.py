"""Prepares what is trained: a base model with new LoRA matrices, an existing adapter, or every weight."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from engine.domain import Model
from engine.errors import UserError
from engine.models.loading import best_device, load_weights, quantised, with_adapter
from engine.trainers.sft_settings import SftParams


def precision(params: SftParams, device: torch.device) -> torch.dtype:
    """The number type of the computation. Raises UserError if the device does not support it."""
    if params.precision == "auto":
        if device.type == "cpu":
            return torch.float32
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if params.precision == "fp16" and device.type == "cpu":
        raise UserError("fp16 needs a GPU; on a CPU set precision to auto or fp32", field="trainer.precision")
    return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[params.precision]


def prepare(params: SftParams, model: Model) -> Any:
    """The model with its trainable weights. Raises UserError for layers that it does not have."""
    device = best_device()
    base = load_weights(
        Path(model.weights), device_map={"": device}, **_load_options(params, precision(params, device))
    )
    base.config.use_cache = False
    if params.method == "full":
        return base
    if model.kind == "adapter":
        return with_adapter(base, Path(model.path), trainable=True)
    return _with_new_matrices(base, params)


def keep_adapter_exact(model: Any) -> None:
    """Convert trainable weights to fp32: with a quantised base TRL makes them bf16, which loses small updates."""
    for weight in model.parameters():
        if weight.requires_grad:
            weight.data = weight.data.float()


def count_parameters(model: Any) -> tuple[int, int]:
    """(trainable, all) numbers in the weights; two weights packed into one byte of a 4-bit base count as two."""
    from peft import PeftModel

    if isinstance(model, PeftModel):
        trainable, parameters = model.get_nb_trainable_parameters()
        return int(trainable), int(parameters)
    weights = list(model.parameters())
    return sum(weight.numel() for weight in weights if weight.requires_grad), sum(weight.numel() for weight in weights)


def _load_options(params: SftParams, compute: torch.dtype) -> dict[str, Any]:
    """Options for loading the weights: quantised, or in the type of the computation."""
    if params.method == "full":  # in fp32, whatever the computation: updates are too small for a half type
        return {"dtype": torch.float32}
    return quantised(4 if params.method == "qlora" else params.base_bits, compute)


def _with_new_matrices(base: Any, params: SftParams) -> Any:
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=params.rank,
        lora_alpha=params.alpha,
        lora_dropout=params.dropout,
        target_modules=params.layer_names,
        bias="none",
        task_type="CAUSAL_LM",
    )
    try:
        return get_peft_model(base, config)
    except ValueError as error:
        if "arget modules" not in str(error):
            raise
        linear = [name for name, layer in base.named_modules() if hasattr(layer, "in_features")]
        known = sorted({name.rpartition(".")[2] for name in linear})
        raise UserError(
            f"the model has no layer called {params.target_modules!r}; it has: {', '.join(known)}",
            field="trainer.target_modules",
        ) from error
