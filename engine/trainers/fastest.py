"""Chooses the settings of speed for `speed` auto: from the estimated memory, what is free, and the rows' lengths.

The rule is a model of how long a token takes, and no measurement of this machine. What it chose is part of the result,
as settings that can be stated elsewhere, so a run can be repeated where another choice would be made. No torch here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.trainers import Device
from engine.trainers.memory_estimate import estimate
from engine.trainers.sft_settings import SftParams
from engine.trainers.speed_settings import CHOSEN
from engine.trainers.step_plan import Lengths

GIB = 1 << 30
SHARE = 0.9  # of the free memory, what the estimate may need: its worst error is 16 %, its mean one 8 %
CHECKPOINTED = (0, 8, 4, 2, 1)  # every n-th layer; 0: none
RECOMPUTED = 0.42  # longer a token takes with all layers computed twice (CodeLlama-7B's shape on an H200, measured)
MOST_TOKENS = {"cuda": 16_384, "cpu": 4_096}  # at a time; larger batches are no faster (the same; the starter model)
START = {"cuda": 400, "cpu": 60}  # tokens that the start of a batch costs: on a CPU measured, on a GPU assumed
LEAST_TOKENS = 256
WORTH_COMPILING = 5e15  # parameters x tokens of the run: about a minute of such a GPU, of which compiling saves a third


@dataclass(frozen=True)
class Place:
    """Where it is computed, and what is possible there."""

    device: Device
    free_bytes: int
    no_varlen: str = ""  # why samples of packed rows cannot be computed one by one; empty: they can
    no_compiler: str = ""  # why nothing can be compiled
    can_pack: bool = True  # whether the model can be told where a sample of a packed row begins


@dataclass(frozen=True)
class Choice:
    """Settings without `auto`, and what was chosen with the reasons, in sentences."""

    params: SftParams
    words: tuple[str, ...]

    @property
    def settings(self) -> dict[str, Any]:
        """What was chosen, by the names of the settings."""
        return {name: getattr(self.params, name) for name in CHOSEN}


def choose(params: SftParams, config: Mapping[str, Any], lengths: Lengths, rows_seen: int, place: Place) -> Choice:
    """The fastest settings that fit; `lengths`: tokens of each row, `rows_seen`: rows of all steps together.

    Where nothing fits, what needs least is taken, and said.
    """
    longest, mean = int(lengths.max()), float(lengths.mean())
    per_step = params.batch_size * params.accumulation
    words = []
    packing = place.can_pack and (not place.no_varlen or place.device == "cuda")  # a mask over all is slow on a CPU
    # a step of packed rows seldom has more than 1.3 times the mean; one that does is computed in two batches
    most = min(
        MOST_TOKENS[place.device], max(per_step * longest if not packing else int(1.3 * per_step * mean), longest)
    )
    sizes = [longest]
    while sizes[-1] * 2 <= most:
        sizes.append(sizes[-1] * 2)
    sizes = sorted({max(LEAST_TOKENS, size) for size in (*sizes, max(most, longest))})
    found = []
    for every in CHECKPOINTED:
        for tokens in sizes:
            tried = params.model_copy(
                update={"batch_tokens": tokens, "activation_checkpointing": every > 0, "checkpoint_every": every or 1}
            )
            needed = needed_bytes(tried, config, longest, place.device)
            time = (1 + RECOMPUTED / every if every else 1) * (1 + START[place.device] / tokens)
            found.append((needed > SHARE * place.free_bytes, time, needed, tried))
    is_tight, _, needed, best = min(found, key=lambda one: (one[0], one[2] if one[0] else one[1]))
    best = best.model_copy(update={"packing": packing, "speed": "as_set"})
    best, why_not = _compiled(best, config, mean * rows_seen, place)

    if packing:
        words.append("rows are packed: no padding, and each sample sees only itself")
        if place.no_varlen:
            words.append(f"with a mask over all tokens, since {place.no_varlen}")
    else:
        best = best.model_copy(update={"group_by_length": True})
        reason = place.no_varlen if place.can_pack else "this model cannot be told where a packed sample begins"
        words.append(f"steps have samples of similar length, padded, since {reason}")
    words.append(f"{best.batch_tokens:,} tokens at a time; an optimizer step still has {per_step} samples")
    every = best.checkpoint_every
    words.append(
        f"{'every layer' if every == 1 else f'one layer in {every}'} is computed twice, to save memory"
        if best.activation_checkpointing
        else "no activation checkpointing"
    )
    words.append("decoder layers are compiled" if best.compile_layers else f"nothing is compiled: {why_not}")
    free = f"estimated {needed / GIB:.1f} GiB of {place.free_bytes / GIB:.1f} GiB that are free"
    words.append(f"{free}: it may not fit" if is_tight else free)
    return Choice(best, tuple(words))


def needed_bytes(params: SftParams, config: Mapping[str, Any], longest: int, device: Device) -> int:
    """The estimated peak with rows of at most `longest` tokens, computed as `params` say."""
    return estimate(config, in_tokens(params, longest), 1, device).total


def in_tokens(params: SftParams, longest: int) -> SftParams:
    """The same settings for the estimate, where a batch is so many samples of one token."""
    whole_step = params.batch_size * params.accumulation * longest
    tokens = params.batch_size * longest
    if params.batch_tokens is not None:
        tokens = max(longest, min(params.batch_tokens, whole_step))
    return params.model_copy(update={"batch_size": tokens})


def _compiled(params: SftParams, config: Mapping[str, Any], tokens: float, place: Place) -> tuple[SftParams, str]:
    """With `compile_layers` where it pays, and else why it does not."""
    if place.device == "cpu":
        return params, "on a CPU it does not pay"
    if place.no_compiler:
        return params, place.no_compiler
    if not params.packing or place.no_varlen:
        return params, "batches differ in their length"
    if params.method == "qlora" or params.base_bits == 8 or params.dora:
        return params, "quantised layers and DoRA are left as they are"
    if estimate(config, params, 1, place.device).parameters * tokens < WORTH_COMPILING:
        return params, "the run is too short to gain by it"
    return params.model_copy(update={"compile_layers": True}), ""
