"""The sampling loop: draws one random token for every completion at each step.

Each prompt has its own random numbers, so that its samples do not depend on the rest of the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from engine.generators.steps import advance, read

Warp = Callable[[torch.Tensor], torch.Tensor]  # logits (P x n, V) -> logits to draw from


def warper(temperature: float, top_p: float, top_k: int) -> Warp:
    """transformers' own temperature, top-k and top-p, in its order."""
    from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

    steps: list[Any] = [TemperatureLogitsWarper(temperature)]
    if top_k:
        steps.append(TopKLogitsWarper(top_k))
    if top_p < 1:
        steps.append(TopPLogitsWarper(top_p))

    def warp(logits: torch.Tensor) -> torch.Tensor:
        for step in steps:
            logits = step(None, logits)
        return logits

    return warp


@torch.inference_mode()
def sample(
    model: Any, ids: torch.Tensor, mask: torch.Tensor, seeds: list[int], n: int, new_tokens: int, warp: Warp
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield, step by step, the tokens (P, n) drawn and their log-probabilities under the model itself (P, n).

    `ids` and `mask` are (P, tokens), padded on the left; `seeds` has one number per prompt. Ends after `new_tokens`
    steps, or earlier if the caller stops iterating.
    """
    prompts = len(ids)
    generators = [torch.Generator(device=ids.device).manual_seed(seed) for seed in seeds]
    cache, logits = read(model, ids, mask, n, new_tokens)  # logits: (P x n, V)
    positions = mask.sum(dim=1)
    mask = torch.cat([mask, mask.new_ones(prompts, new_tokens)], dim=1)
    for step in range(new_tokens):
        chances = torch.softmax(warp(logits.float()), dim=-1).view(prompts, n, -1)
        tokens = torch.stack(
            [torch.multinomial(chances[row], 1, generator=generators[row]).squeeze(1) for row in range(prompts)]
        )
        likely = torch.log_softmax(logits.float(), dim=-1).view(prompts, n, -1)
        yield tokens, likely.gather(2, tokens[..., None]).squeeze(2)
        logits = advance(model, cache, tokens, mask[:, : ids.shape[1] + step + 1], positions + step)
