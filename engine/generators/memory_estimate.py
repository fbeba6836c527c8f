"""Estimates the memory of writing completions, by formulas and without torch, since a form shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.models.shape import Shape
from engine.trainers import Device
from engine.trainers.memory_estimate import CONTEXT, CPU_CACHE, NF4_SHARE

MIXED = (
    6  # bytes a parameter of inference in mixed precision: the weights in fp32 and, for the computation, in a half type
)
PROMPT_TOKENS = 512  # of a usual prompt for one function


@dataclass(frozen=True)
class Generating:
    """Bytes by purpose."""

    weights: int
    cache: int  # keys and values of one prompt's completions
    activations: int  # of one layer, and the logits of one place
    context: int
    mixed_precision: int  # what the weights alone would take in mixed precision

    @property
    def total(self) -> int:
        return self.weights + self.cache + self.activations + self.context


def generating(
    config: Mapping[str, Any],
    device: Device,
    completions: int,
    new_tokens: int,
    bits: int = 16,
    prompt: int = PROMPT_TOKENS,
) -> Generating:
    """The least that it takes: `completions` of one prompt at a time. More prompts are taken together where they fit.

    `bits` of each weight of the linear layers. Raises UserError where the configuration lacks a size.
    """
    shape = Shape.of(config)
    width = 4 if device == "cpu" else 2
    a_weight = {16: width, 8: 1, 4: NF4_SHARE}[bits]
    token = 2 * shape.layers * shape.kv_width * width  # of keys and values
    cache = 2 * token * completions * (prompt + new_tokens)  # twice: beams are put in order in a second copy
    layer = prompt * (4 * shape.hidden + 6 * shape.ffn) * width // 2
    return Generating(
        weights=int(shape.linear_parameters * a_weight) + shape.other_parameters * width,
        cache=max(cache, CPU_CACHE) if device == "cpu" else cache,
        activations=layer + completions * shape.vocab * 8,
        context=CONTEXT[device],
        mixed_precision=MIXED * shape.parameters,
    )
