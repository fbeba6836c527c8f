"""How fast beam search is with a model of some shape on the device at hand; its weights are random.

Weights do not change how long a step takes, but when a completion ends. Here none ends before its last token, so a
trained model, whose repairs end after some 15 tokens, is faster than this.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch

from engine.errors import UserError
from engine.generators import NoAnswer
from engine.generators.beam import Beam
from engine.models.loading import Loaded, context_of
from engine.models.random_weights import random_model
from engine.trainers import memory

ALONE = 4  # prompts that are answered one at a time


@dataclass(frozen=True)
class Work:
    """What is generated: random prompts of equal length, each with as many completions as beams."""

    prompts: int
    prompt_tokens: int
    new_tokens: int
    beams: int
    batch_tokens: int | None = None  # as the setting of `engine.generators.local`; None: as many as fit the memory
    rounds: int = 3  # of which the median counts
    seed: int = 0


@dataclass(frozen=True)
class Speed:
    """What was measured; `seconds` of each round, rates of the median one."""

    parameters: int
    dtype: str
    device: str
    weights_bytes: int
    peak_memory_bytes: int  # of this process: on a GPU its memory there, else its resident set
    seconds: tuple[float, ...]
    prompts_per_s: float
    new_tokens_per_s: float  # those of all beams
    alone_prompts_per_s: float  # by transformers' own search, one prompt at a time
    ratio: float


def measure(config: Mapping[str, Any], work: Work) -> Speed:
    """Make the model and run `work`. Raises UserError where it does not fit the model or the memory."""
    model = random_model(config, work.prompt_tokens + work.new_tokens, work.seed)
    model.generation_config.eos_token_id = model.config.get_text_config().vocab_size  # the id of no token
    beam = Beam(Beam.Params(max_new_tokens=work.new_tokens, batch_tokens=work.batch_tokens))
    beam.use(Loaded(model, _Numbers(), context_of(model.config)), work.seed)
    prompts = _prompts(model.config.get_text_config().vocab_size, work)
    _timed(beam, prompts[:1], work.beams)  # the first call of a kernel takes longer
    seconds = [_timed(beam, prompts, work.beams) for _ in range(work.rounds)]
    peak = memory.peak()
    rate = work.prompts / median(seconds)
    alone = _alone(model, prompts[: min(ALONE, work.prompts)], work)
    return Speed(
        parameters=sum(each.numel() for each in model.parameters()),
        dtype=str(model.dtype).removeprefix("torch."),
        device=peak.device,
        weights_bytes=sum(each.numel() * each.element_size() for each in model.parameters()),
        peak_memory_bytes=peak.bytes,
        seconds=tuple(round(each, 3) for each in seconds),
        prompts_per_s=round(rate, 3),
        new_tokens_per_s=round(rate * work.beams * work.new_tokens, 1),
        alone_prompts_per_s=round(alone, 3),
        ratio=round(rate / alone, 3),
    )


class _Numbers:
    """A tokenizer whose texts are ids with a space between them, and that has no special tokens."""

    pad_token_id = 0
    all_special_ids: tuple[int, ...] = ()
    added_tokens_decoder: Mapping[int, Any] = {}

    def __call__(self, texts: Sequence[str], **_: Any) -> dict[str, list[list[int]]]:
        return {"input_ids": [[int(token) for token in text.split()] for text in texts]}

    def decode(self, ids: Sequence[int], **_: Any) -> str:
        return " ".join(map(str, ids))


def _prompts(vocabulary: int, work: Work) -> list[str]:
    drawn = torch.Generator().manual_seed(work.seed)
    ids = torch.randint(vocabulary, (work.prompts, work.prompt_tokens), generator=drawn)
    return [_Numbers().decode(row) for row in ids.tolist()]


def _alone(model: Any, prompts: Sequence[str], work: Work) -> float:
    """Prompts a second where each is a batch of its own."""
    started = time.perf_counter()
    for prompt in prompts:
        ids = torch.tensor([[int(token) for token in prompt.split()]], device=model.device)
        with torch.inference_mode():
            written = model.generate(
                input_ids=ids, attention_mask=torch.ones_like(ids), num_beams=work.beams,
                num_return_sequences=work.beams, do_sample=False, max_new_tokens=work.new_tokens, pad_token_id=0,
            )  # fmt: skip
        written.tolist()  # waits for the device
    return len(prompts) / (time.perf_counter() - started)


def _timed(beam: Beam, prompts: Sequence[str], beams: int) -> float:
    """Seconds until every completion has been read back, which waits for the device."""
    started = time.perf_counter()
    for _, completions in beam.generate(prompts, beams):
        if isinstance(completions, NoAnswer):
            raise UserError(f"{completions.reason}; ask for fewer beams or shorter prompts")
    return time.perf_counter() - started
