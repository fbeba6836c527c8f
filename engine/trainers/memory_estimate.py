"""Estimates the memory of a training run by formulas, fast enough to be updated at every key stroke in a form.

The formulas are our own; against 13 published figures of training runs their mean error was 8 %, the worst 16 %.
All figures are bytes. No torch here, since the form runs in the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.models.shape import Shape
from engine.trainers import Device, Estimate
from engine.trainers.sft_settings import SftParams

CONTEXT = {"cuda": 600_000_000, "cpu": 650_000_000}  # CUDA context; the imported libraries (measured) on a CPU
NF4_SHARE = 0.516  # bytes a weight: 4 bits and its share of the doubly quantised block constants
OPTIMIZER_STATE = {"adamw": 8, "paged_adamw_32bit": 8, "adamw_8bit": 2, "paged_adamw_8bit": 2, "sgd": 0}
FUSED_HEAD_TOKENS = 256  # TRL's loss builds logits for so many tokens at a time
TARGET_SHARE = 0.25  # of a repair sample's tokens is target; only those get logits on a CPU
# On a CPU, glibc keeps blocks of up to 32 MiB in its heap (mallopt(3), M_MMAP_THRESHOLD), where holes stay between
# those that are in use. As a share of the activations, measured with the starter model and batches of 1 to 16 samples
# of 256 tokens, with and without checkpointing: peaks of 0.7 to 2.4 GiB, met to within 8 %.
HEAP_BLOCK = 32 << 20
HEAP_HOLES = {"lora": 0.85, "qlora": 0.85, "full": 0.25}


def estimate(config: Mapping[str, Any], params: SftParams, max_tokens: int, device: Device = "cuda") -> Estimate:
    """The peak while training with batches of `params.batch_size` samples of `max_tokens` tokens."""
    shape = Shape.of(config)
    tokens = params.batch_size * max_tokens
    on_cpu = device == "cpu"
    is_fp32 = params.precision == "fp32" or (params.precision == "auto" and on_cpu)
    width = 4 if is_fp32 else 2  # bytes of one number in weights and activations
    full = params.method == "full"
    trainable = shape.parameters if full else shape.lora_parameters(params.rank, params.layer_names)
    # the weights of what is trained are kept in fp32; bf16 training of all weights adds a bf16 copy
    trained_weights = trainable * ((4 if is_fp32 else 6) if full else 4)
    return Estimate(
        weights=trained_weights + (0 if full else _frozen_weights(shape, params, width)),
        optimizer=trainable * OPTIMIZER_STATE[params.optimizer],
        gradients=trainable * 4,
        activations=_activations(shape, tokens, params.activation_checkpointing) * width // 2,
        buffers=_buffers(shape, params, tokens, device) + (_holes(shape, params, tokens, width) if on_cpu else 0),
        context=CONTEXT[device],
        parameters=shape.parameters,
        trainable=trainable,
        all_parameters=shape.parameters + (0 if full else trainable),
        notes=_notes(params, device),
    )


def _frozen_weights(shape: Shape, params: SftParams, width: int) -> int:
    if params.method == "qlora":
        return int(shape.linear_parameters * NF4_SHARE) + shape.other_parameters * width
    if params.base_bits == 8:
        return shape.linear_parameters + shape.other_parameters * width
    return shape.parameters * width


def _activations(shape: Shape, tokens: int, is_checkpointed: bool) -> int:
    """In two-byte numbers: T (16 h + 4 kv + 8 f) a layer; checkpointed, T 2 h a layer and one whole layer."""
    layer = tokens * (16 * shape.hidden + 4 * shape.kv_width + 8 * shape.ffn)
    return tokens * 2 * shape.hidden * shape.layers + layer if is_checkpointed else shape.layers * layer


def _buffers(shape: Shape, params: SftParams, tokens: int, device: Device) -> int:
    tokens_with_logits = int(tokens * TARGET_SHARE) if device == "cpu" else min(tokens, FUSED_HEAD_TOKENS)
    logits = tokens_with_logits * shape.vocab * (12 if device == "cpu" else 10)
    return logits + (4 * shape.hidden * shape.ffn if params.method == "qlora" else 0)


def _holes(shape: Shape, params: SftParams, tokens: int, width: int) -> int:
    """Bytes of the heap between blocks; every activation passes through it, also those that are not kept."""
    sizes = ((16, shape.hidden), (4, shape.kv_width), (8, shape.ffn))  # as in `_activations`
    in_heap = sum(bytes_ * size for bytes_, size in sizes if tokens * size * width < HEAP_BLOCK)
    return int(HEAP_HOLES[params.method] * shape.layers * tokens * in_heap * width / 2)


def _notes(params: SftParams, device: Device) -> tuple[str, ...]:
    notes = []
    if device == "cpu":
        notes.append(
            "on a CPU, in main memory and in fp32 unless the precision says otherwise; with the imported libraries, "
            "and with what the heap holds unused between batches of different lengths"
        )
        if params.optimizer.startswith("paged"):
            notes.append("paged optimizers need a GPU: on a CPU the same optimizer runs unpaged")
    return tuple(notes)
