"""How much memory a training run will take, in closed form, fast enough to follow every key stroke in a form.

Source of the formulas: design/performance.md, "Memory estimate" (13 published figures: mean error 8 %, worst 16 %).
Bytes throughout. No torch here: the form runs in the light process.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from engine.errors import UserError
from engine.trainers.sft import Sft

Device = Literal["cuda", "cpu"]

CONTEXT = {"cuda": 600_000_000, "cpu": 650_000_000}  # CUDA context; the imported libraries (measured) on a CPU
NF4_SHARE = 0.516  # bytes a weight: 4 bits and its share of the doubly quantised block constants
OPTIMIZER_STATE = {"adamw": 8, "paged_adamw_32bit": 8, "adamw_8bit": 2, "paged_adamw_8bit": 2, "sgd": 0}
FUSED_HEAD_TOKENS = 256  # TRL's loss builds logits for so many tokens at a time
TARGET_SHARE = 0.25  # of a repair sample's tokens is target; only those get logits on a CPU


@dataclass(frozen=True)
class Shape:
    """The sizes of a Llama-like decoder (Llama, Mistral, Qwen2, StableLM ...), from its config.json."""

    layers: int
    hidden: int
    ffn: int
    query_width: int  # heads x head size
    kv_width: int  # key-value heads x head size
    vocab: int
    is_tied: bool  # input and output embeddings are one matrix
    biases: int  # numbers in bias vectors, a layer

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Shape:
        """Raises UserError naming the size that is missing."""
        config = config.get("text_config", config)
        try:
            hidden, heads = int(config["hidden_size"]), int(config["num_attention_heads"])
            head = int(config.get("head_dim") or hidden // heads)
            query, kv = heads * head, int(config.get("num_key_value_heads") or heads) * head
            has_biases = bool(config.get("attention_bias")) or config.get("model_type") in ("qwen2", "starcoder2")
            return cls(
                layers=int(config["num_hidden_layers"]),
                hidden=hidden,
                ffn=int(config["intermediate_size"]),
                query_width=query,
                kv_width=kv,
                vocab=int(config["vocab_size"]),
                is_tied=bool(config.get("tie_word_embeddings", False)),
                biases=query + 2 * kv if has_biases else 0,
            )
        except KeyError as missing:
            raise UserError(f"config.json has no {missing.args[0]!r}, so the memory cannot be estimated") from None

    @property
    def linear(self) -> dict[str, tuple[int, int]]:
        """The linear layers of one decoder layer: name -> (inputs, outputs)."""
        h, q, kv, f = self.hidden, self.query_width, self.kv_width, self.ffn
        return {
            "q_proj": (h, q), "k_proj": (h, kv), "v_proj": (h, kv), "o_proj": (q, h),
            "gate_proj": (h, f), "up_proj": (h, f), "down_proj": (f, h),
        }  # fmt: skip

    @property
    def linear_parameters(self) -> int:
        return self.layers * sum(inputs * outputs for inputs, outputs in self.linear.values())

    @property
    def other_parameters(self) -> int:
        """Embeddings, the output head where it is its own matrix, norms and biases."""
        embeddings = self.vocab * self.hidden * (1 if self.is_tied else 2)
        return embeddings + self.layers * (2 * self.hidden + self.biases) + self.hidden

    @property
    def parameters(self) -> int:
        return self.linear_parameters + self.other_parameters

    def lora_parameters(self, rank: int, layer_names: str | list[str]) -> int:
        """rank x (inputs + outputs) of each adapted layer. Raises UserError for a layer the model does not have."""
        linear = self.linear
        names = list(linear) if isinstance(layer_names, str) else list(dict.fromkeys(layer_names))
        unknown = [name for name in names if name not in linear]
        if unknown:
            raise UserError(
                f"this model has no linear layer called {unknown[0]!r}; choose among: {', '.join(linear)}",
                field="trainer.target_modules",
            )
        return self.layers * sum(rank * sum(linear[name]) for name in names)


@dataclass(frozen=True)
class Estimate:
    """Bytes by purpose, the counts behind them, and what to know about the figure."""

    weights: int
    optimizer: int
    gradients: int
    activations: int
    buffers: int  # logits, and the unpacked layer of a 4-bit base
    context: int
    parameters: int  # of the base model
    trainable: int
    all_parameters: int  # of the base model and the added matrices together
    notes: tuple[str, ...] = ()

    @property
    def parts(self) -> dict[str, int]:
        """In the order of the stacked bar."""
        names = ("weights", "optimizer", "gradients", "activations", "buffers", "context")
        return {name: getattr(self, name) for name in names}

    @property
    def total(self) -> int:
        return sum(self.parts.values())


def read_config(model_folder: Path) -> dict[str, Any]:
    """A model folder's config.json. Raises UserError where there is none."""
    try:
        return dict(json.loads((model_folder / "config.json").read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise UserError(f"{model_folder} holds no readable config.json ({error})") from None


def estimate(config: Mapping[str, Any], params: Sft.Params, max_tokens: int, device: Device = "cuda") -> Estimate:
    """The peak while training with batches of `params.batch_size` samples of `max_tokens` tokens."""
    shape = Shape.of(config)
    tokens = params.batch_size * max_tokens
    is_fp32 = params.precision == "fp32" or (params.precision == "auto" and device == "cpu")
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
        buffers=_buffers(shape, params, tokens, device),
        context=CONTEXT[device],
        parameters=shape.parameters,
        trainable=trainable,
        all_parameters=shape.parameters + (0 if full else trainable),
        notes=_notes(params, device),
    )


def _frozen_weights(shape: Shape, params: Sft.Params, width: int) -> int:
    if params.method == "qlora":
        return int(shape.linear_parameters * NF4_SHARE) + shape.other_parameters * width
    if params.base_bits == 8:
        return shape.linear_parameters + shape.other_parameters * width
    return shape.parameters * width


def _activations(shape: Shape, tokens: int, is_checkpointed: bool) -> int:
    """In two-byte numbers: T (16 h + 4 kv + 8 f) a layer; checkpointed, T 2 h a layer and one whole layer."""
    layer = tokens * (16 * shape.hidden + 4 * shape.kv_width + 8 * shape.ffn)
    return tokens * 2 * shape.hidden * shape.layers + layer if is_checkpointed else shape.layers * layer


def _buffers(shape: Shape, params: Sft.Params, tokens: int, device: Device) -> int:
    tokens_with_logits = int(tokens * TARGET_SHARE) if device == "cpu" else min(tokens, FUSED_HEAD_TOKENS)
    logits = tokens_with_logits * shape.vocab * (12 if device == "cpu" else 10)
    return logits + (4 * shape.hidden * shape.ffn if params.method == "qlora" else 0)


def _notes(params: Sft.Params, device: Device) -> tuple[str, ...]:
    notes = []
    if device == "cpu":
        notes.append("on a CPU, in main memory and in fp32 unless the precision says otherwise")
        if params.optimizer.startswith("paged"):
            notes.append("paged optimizers need a GPU: on a CPU the same optimizer runs unpaged")
    return tuple(notes)
