"""Prepares what is trained: new LoRA matrices, an existing adapter, the last layers, or every weight."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from engine.domain import Model
from engine.errors import UserError
from engine.models.adapters import HEAD
from engine.models.loading import best_device, load_weights, quantised, with_adapter
from engine.trainers.memory_cap import placement
from engine.trainers.memory_check import DEFAULT_TOKENS
from engine.trainers.training_settings import TrainingParams
from engine.trainers.weight_settings import TIED_HEAD


def precision(params: TrainingParams, device: torch.device) -> torch.dtype:
    """The number type of the computation. Raises UserError if the device does not support it."""
    if params.precision == "auto":
        if device.type == "cpu":
            return torch.float32
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if params.precision == "fp16" and device.type == "cpu":
        raise UserError("fp16 needs a GPU; on a CPU set precision to auto or fp32", field="trainer.precision")
    return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[params.precision]


def prepare(params: TrainingParams, model: Model, tokens: int = DEFAULT_TOKENS) -> Any:
    """The model with its trainable weights, for rows of up to so many tokens.

    Raises UserError for layers that it does not have, and as `placement`.
    """
    device = best_device()
    if params.dora and params.base_bits == 8 and device.type == "cpu":  # PEFT loses the scales of 8-bit weights there
        raise UserError(
            "dora: on a base model in 8 bits it needs a GPU; on a CPU choose qlora, or set base_bits to 16",
            field="trainer.dora",
        )
    base = load_weights(
        Path(model.weights),
        **placement(params, Path(model.weights), device, tokens),
        **_load_options(params, precision(params, device)),
    )
    base.config.use_cache = False
    if params.method == "full":
        return base
    if params.method == "last_layers":
        return _with_last_layers(base, params)
    if model.kind == "adapter":
        return with_adapter(base, Path(model.path), trainable=True)
    return _with_new_matrices(base, params)


@contextmanager
def trained_exactly(model: Any) -> Iterator[None]:
    """In this context TRL's trainer is made; what is trained has its values in fp32 afterwards.

    With a quantised base TRL rounds an adapter to bf16, which changes one that is trained further, and in which small
    updates are lost.
    """
    exact = {name: weight.data.float() for name, weight in model.named_parameters() if weight.requires_grad}
    yield
    for name, weight in model.named_parameters():
        if name in exact:
            weight.data = exact[name]


def count_parameters(model: Any) -> tuple[int, int]:
    """(trainable, all) numbers in the weights; two weights packed into one byte of a 4-bit base count as two."""
    from peft import PeftModel

    if isinstance(model, PeftModel):
        trainable, parameters = model.get_nb_trainable_parameters()
        return int(trainable), int(parameters)
    weights = list(model.parameters())
    return sum(weight.numel() for weight in weights if weight.requires_grad), sum(weight.numel() for weight in weights)


def trained_weights(model: Any) -> dict[str, int]:
    """What is trained -> how many numbers; layers that differ only in their place are one entry, "layers.*"."""
    found = Counter[str]()
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            found[re.sub(r"\.\d+\.", ".*.", name)] += weight.numel()
    return dict(found)


def _load_options(params: TrainingParams, compute: torch.dtype) -> dict[str, Any]:
    """Options for loading the weights: quantised, or in the type of the computation."""
    if params.method == "full":  # in fp32, whatever the computation: updates are too small for a half type
        return {"dtype": torch.float32}
    found = quantised(4 if params.method == "qlora" else params.base_bits, compute)
    if params.offload and "quantization_config" in found:  # what is in main memory is not quantised
        found["quantization_config"].llm_int8_enable_fp32_cpu_offload = True
    return found


def _with_last_layers(base: Any, params: TrainingParams) -> Any:
    """`base` with all weights frozen but those of its last decoder layers, and of its head where that is asked for."""
    layers = max((each for each in base.modules() if isinstance(each, torch.nn.ModuleList)), key=len)
    if params.last_layers > len(layers):
        raise UserError(
            f"last_layers: the model has {len(layers)} layers, not {params.last_layers}", field="trainer.last_layers"
        )
    base.requires_grad_(False)
    trained = list(layers[len(layers) - params.last_layers :])
    if params.train_head:
        trained.append(base.get_output_embeddings())
    for each in trained:
        each.requires_grad_(True)
    return base


def _with_new_matrices(base: Any, params: TrainingParams) -> Any:
    from peft import LoraConfig, get_peft_model

    if params.train_head and base.get_output_embeddings().weight is base.get_input_embeddings().weight:
        raise UserError(TIED_HEAD, field="trainer.train_head")
    config = LoraConfig(
        r=params.rank,
        lora_alpha=params.alpha,
        lora_dropout=params.dropout,
        target_modules=params.layer_names,
        use_rslora=bool(params.rslora),
        use_dora=bool(params.dora),
        modules_to_save=[HEAD] if params.train_head else None,
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
