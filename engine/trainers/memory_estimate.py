"""Estimates the memory of a training run by formulas, fast enough to be updated at every key stroke in a form.

The formulas are our own; against 13 published figures of training runs their mean error was 8 %, the worst 16 %.
All figures are bytes. No torch here, since the form runs in the server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.errors import UserError
from engine.models.shape import Shape
from engine.trainers import Device, Estimate
from engine.trainers.training_settings import TrainingParams
from engine.trainers.weight_settings import TIED_HEAD

CONTEXT = {"cuda": 600_000_000, "cpu": 585_000_000}  # CUDA context; the imported libraries (measured) on a CPU
QUANTISING = 64_000_000  # the library for weights in few bits, on a CPU
NF4_SHARE = 0.516  # bytes a weight: 4 bits and its share of the doubly quantised block constants
OPTIMIZER_STATE = {"adamw": 8, "paged_adamw_32bit": 8, "adamw_8bit": 2, "paged_adamw_8bit": 2, "sgd": 0}
MOMENTUM = 4  # bytes a trained parameter, where sgd has it
FUSED_HEAD_TOKENS = 256  # TRL's loss builds logits for so many tokens at a time
TARGET_SHARE = 0.25  # of a repair sample's tokens is target; only those get logits on a CPU
# The heads of TRL's losses on preferences and rewards make logits of every token on a CPU; bytes a logit, measured.
EVERY_LOGIT = 47
# On a CPU, glibc keeps blocks of up to 32 MiB in its heap (mallopt(3), M_MMAP_THRESHOLD), where holes stay between
# those that are in use. As a share of the activations, fitted to peaks of the starter model with batches of 1 to 16
# samples of 256 tokens; other settings are met to within some percent (tests/perf/memory.py).
HEAP_BLOCK = 32 << 20
CPU_CACHE = 1 << 29  # bytes of keys and values at a time, as `engine.models.loading` has it
HEAP_HOLES = {"lora": 1.2, "qlora": 1.3, "full": 0.35, "last_layers": 0.35}
HEAP_HOLES_CHECKPOINTED = 0.9  # at most, with activation checkpointing


def estimate(config: Mapping[str, Any], params: TrainingParams, max_tokens: int, device: Device = "cuda") -> Estimate:
    """The peak while training with batches of `params.batch_size` samples of `max_tokens` tokens."""
    shape, params = Shape.of(config), params.filled()
    tokens = params.batch_size * max_tokens
    on_cpu = device == "cpu"
    is_fp32 = params.precision == "fp32" or (params.precision == "auto" and on_cpu)
    width = 4 if is_fp32 else 2  # bytes of one number in weights and activations
    trainable = _trainable(shape, params)
    # the weights of what is trained are kept in fp32; bf16 training of all weights adds a bf16 copy
    trained_weights = trainable * (4 if is_fp32 or params.adds_matrices else 6)
    found = Estimate(
        weights=trained_weights + _frozen_weights(shape, params, width),
        optimizer=trainable * (MOMENTUM if params.momentum else 0)
        if params.optimizer == "sgd"
        else trainable * OPTIMIZER_STATE[params.optimizer],
        gradients=trainable * 4,
        activations=_activations(shape, params, tokens, device) * width // 2,
        buffers=_buffers(shape, params, tokens, device) + (_holes(shape, params, tokens, width) if on_cpu else 0),
        context=CONTEXT[device] + (QUANTISING if on_cpu and _is_quantised(params) else 0),
        parameters=shape.parameters,
        trainable=trainable,
        all_parameters=shape.parameters + (trainable if params.adds_matrices else 0),
        notes=_notes(params, device),
    )
    return _below_cap(_with_evaluation(found, shape, params, max_tokens, device, width), shape, params, device, width)


def _with_evaluation(
    found: Estimate, shape: Shape, params: TrainingParams, max_tokens: int, device: Device, width: int
) -> Estimate:
    """The same, or what an evaluation needs where its batches are so large: one layer at a time, nothing kept."""
    if params.evaluation == "no" or not params.eval_batch_size or params.eval_batch_size <= params.batch_size:
        return found
    tokens = params.eval_batch_size * max_tokens
    layer = tokens * (4 * shape.hidden + 6 * shape.ffn) * width // 2  # its input, and the three results of its MLP
    buffers = _buffers(shape, params, tokens, device)
    if layer + buffers <= found.activations + found.buffers:
        return found
    note = f"an evaluation, with {params.eval_batch_size} samples at a time, needs more than a step"
    return replace(found, activations=layer, buffers=buffers, notes=(*found.notes, note))


def _below_cap(found: Estimate, shape: Shape, params: TrainingParams, device: Device, width: int) -> Estimate:
    """The same, without the frozen layers that `offload` keeps in main memory to stay below the cap."""
    cap = params.cap_bytes
    if not params.offload or cap is None or device == "cpu" or found.total <= cap:
        return found
    in_layers = _frozen_weights(shape, params, width) - shape.other_parameters * width
    most = in_layers * (shape.layers - 1) // shape.layers  # the one that is computed is on the GPU
    moved = min(found.total - cap, max(0, most))
    note = f"with {moved / 1e9:.1f} GB of the weights in main memory, and so slower"
    return replace(found, weights=found.weights - moved, notes=(*found.notes, note))


def with_reference(
    config: Mapping[str, Any], params: TrainingParams, max_tokens: int, device: Device = "cuda"
) -> Estimate:
    """The same where each batch is also read by the model before training, which keeps no activations.

    With added matrices that is the base without them, or with a copy of them; else it is a second model.
    """
    found = estimate(config, params, max_tokens, device)
    if device == "cpu":
        tokens, vocab = params.batch_size * max_tokens, Shape.of(config).vocab
        found = replace(found, buffers=found.buffers + int(tokens * vocab * (EVERY_LOGIT - 12 * TARGET_SHARE)))
    if params.adds_matrices:
        return found
    width = 4 if params.precision == "fp32" or (params.precision == "auto" and device == "cpu") else 2
    if params.method == "full":
        width = 4  # as the trained one is loaded
    return replace(
        found,
        weights=found.weights + found.parameters * width,
        notes=(*found.notes, "with a second model, to compare with"),
    )


def with_generation(
    config: Mapping[str, Any],
    params: TrainingParams,
    max_tokens: int,
    sequences: int,
    device: Device = "cuda",
    *,
    is_compared: bool,
) -> Estimate:
    """The same where so many sequences of `max_tokens` tokens are written before each step.

    Their keys and values stay allocated beside the activations. On a CPU they are computed in batches of limited size.
    `is_compared`: the model before training reads them too.
    """
    found = (with_reference if is_compared else estimate)(config, params, max_tokens, device)
    shape = Shape.of(config)
    width = 4 if params.precision == "fp32" or (params.precision == "auto" and device == "cpu") else 2
    cache = 2 * shape.layers * shape.kv_width * width * max_tokens * sequences
    written = min(cache, CPU_CACHE) if device == "cpu" else cache
    note = f"with keys and values of {sequences} sequences that are written at a time"
    return replace(found, buffers=found.buffers + written, notes=(*found.notes, note))


def _trainable(shape: Shape, params: TrainingParams) -> int:
    """How many numbers are trained. Raises UserError for layers that the model does not have."""
    if params.method == "full":
        return shape.parameters
    head = shape.head_parameters if params.train_head else 0
    if params.method == "last_layers":
        if params.last_layers > shape.layers:
            raise UserError(
                f"last_layers: the model has {shape.layers} layers, not {params.last_layers}",
                field="trainer.last_layers",
            )
        return params.last_layers * shape.layer_parameters + head
    if head and shape.is_tied:
        raise UserError(TIED_HEAD, field="trainer.train_head")
    return shape.lora_parameters(params.rank or 0, params.layer_names, dora=bool(params.dora)) + head


def _is_quantised(params: TrainingParams) -> bool:
    return params.method == "qlora" or params.base_bits == 8


def _frozen_weights(shape: Shape, params: TrainingParams, width: int) -> int:
    """Bytes of the weights that are not trained."""
    if params.method == "full":
        return 0
    if params.method == "last_layers":
        return (shape.parameters - _trainable(shape, params)) * width
    if params.method == "qlora":
        return int(shape.linear_parameters * NF4_SHARE) + shape.other_parameters * width
    if params.base_bits == 8:
        return shape.linear_parameters + shape.other_parameters * width
    return shape.parameters * width


def _layer_bytes(shape: Shape, params: TrainingParams, device: Device) -> int:
    """What one layer keeps of one token for the backward pass, in bytes where a number has two."""
    return sum(bytes_ * size for bytes_, size in _kept(shape, params, device))


def _kept(shape: Shape, params: TrainingParams, device: Device) -> list[tuple[int, int]]:
    """(bytes where a number has two, width) of what one layer keeps of one token, by the width of the tensors.

    With every weight trained 16 h + 4 kv + 8 f. Of frozen layers with added matrices, those without any do not keep
    what they read. Those with some keep it: on a CPU one tensor for all that read it, in half types on a GPU a copy in
    fp32 for each (measured with CodeLlama-7B: 174 kB on q and v alone, 284 kB on all linear layers; compiled, 196 kB).
    """
    if not params.adds_matrices:
        return [(16, shape.hidden), (4, shape.kv_width), (8, shape.ffn)]
    asked = params.layer_names
    has = {
        name.rpartition(".")[2]
        for name in shape.linear
        if isinstance(asked, str) or any(_ends(name, each) for each in asked)
    }
    if device == "cuda" and params.precision != "fp32":
        is_compiled = bool(getattr(params, "compile_layers", False))
        copies = [
            (2 if is_compiled else 4, inputs)
            for name, (inputs, _) in shape.linear.items()
            if name.rpartition(".")[2] in has
        ]
        return [(12 if is_compiled else 14, shape.hidden), (4, shape.kv_width), (6, shape.ffn), *copies]
    reads = (has & {"q_proj", "k_proj", "v_proj"}, has & {"o_proj"}, has & {"gate_proj", "up_proj"})
    hidden = 10 + 2 * sum(bool(each) for each in reads)
    return [(hidden, shape.hidden), (4, shape.kv_width), (8 if "down_proj" in has else 6, shape.ffn)]


def _ends(name: str, asked: str) -> bool:
    """Whether a layer is asked for by the end of its name, its number apart."""
    wanted = re.sub(r"^(?:.*\.)?\d+\.(?:self_attn\.|mlp\.)?", "", asked)
    return name == wanted or name.endswith(f".{wanted}")


def _activations(shape: Shape, params: TrainingParams, tokens: int, device: Device) -> int:
    """In two-byte numbers: T x `_layer_bytes` a layer; checkpointed, T 2 h a layer and one whole layer.

    With only every n-th layer checkpointed the others keep all of theirs.

    Layers below the first that is trained keep nothing. DoRA keeps two results more of each adapted layer; on a
    quantised base three, and the unpacked weights.
    """
    layer = tokens * _layer_bytes(shape, params, device)
    layers = shape.layers
    if params.method == "last_layers" and not (params.train_head and shape.is_tied):
        layers = params.last_layers
    if params.dora:
        adapted = shape.adapted(params.layer_names)
        is_quantised = _is_quantised(params)
        kept = tokens * 2 * (3 if is_quantised else 2) * sum(outputs for _, outputs in adapted)
        unpacked = 2 * sum(inputs * outputs for inputs, outputs in adapted) if is_quantised else 0
        layer += (kept + unpacked) // shape.layers
    if not layers:
        return 0
    if not params.activation_checkpointing:
        return layers * layer
    checkpointed = -(-layers // getattr(params, "checkpoint_every", 1))
    return tokens * 2 * shape.hidden * checkpointed + layer + (layers - checkpointed) * layer


def _buffers(shape: Shape, params: TrainingParams, tokens: int, device: Device) -> int:
    tokens_with_logits = int(tokens * TARGET_SHARE) if device == "cpu" else min(tokens, FUSED_HEAD_TOKENS)
    logits = tokens_with_logits * shape.vocab * (12 if device == "cpu" else 10)
    largest = shape.hidden * shape.ffn  # numbers of the largest matrix
    unpacked = 4 * largest if params.method == "qlora" else 2 * largest if params.base_bits == 8 else 0
    # DoRA makes the product of its matrices whole, adds it to the weights, and takes the length of each row
    return logits + unpacked + (12 * largest if params.dora else 0)


def _holes(shape: Shape, params: TrainingParams, tokens: int, width: int) -> int:
    """Bytes of the heap between blocks; every activation passes through it, also those that are not kept."""
    in_heap = sum(bytes_ * size for bytes_, size in _kept(shape, params, "cpu") if tokens * size * width < HEAP_BLOCK)
    layers = params.last_layers if params.method == "last_layers" else shape.layers
    share = HEAP_HOLES[params.method]
    if params.activation_checkpointing:
        share = min(share, HEAP_HOLES_CHECKPOINTED)
    return int(share * layers * tokens * in_heap * width / 2)


def _notes(params: TrainingParams, device: Device) -> tuple[str, ...]:
    notes = []
    if device == "cpu":
        notes.append(
            "on a CPU, in main memory and in fp32 unless the precision says otherwise; with the imported libraries, "
            "and with what the heap holds unused between batches of different lengths"
        )
        if params.optimizer.startswith("paged"):
            notes.append("paged optimizers need a GPU: on a CPU the same optimizer runs unpaged")
        if params.memory_cap_mb is not None:
            notes.append("memory_cap_mb is of a GPU's memory, and has no effect on a CPU")
    if params.train_head and params.method == "last_layers":
        notes.append("where the head is one with the input embeddings, these are trained with it")
    return tuple(notes)
