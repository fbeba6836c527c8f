"""The sampling loop: draws one random token for every completion at each step; one that has ended leaves the batch.

The random numbers of a prompt depend on its seed alone, so its samples do not depend on the rest of the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from engine.generators.buffers import buffered
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
    model: Any,
    ids: torch.Tensor,
    mask: torch.Tensor,
    seeds: list[int],
    n: int,
    new_tokens: int,
    warp: Warp,
    stops: torch.Tensor,
) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Yield, step by step, for the R completions that have not ended: which of all, tokens and log-probabilities, (R,).

    `ids` and `mask` are (P, tokens), padded on the left; `seeds` has one number per prompt. Prompt p has the
    completions p x n to p x n + n - 1. A log-probability is that under the model itself. A completion ends with one of
    `stops`, or after `new_tokens` steps.
    """
    numbers = torch.cat([_numbers(seed, n, new_tokens, ids.device) for seed in seeds])  # (P x n, new)
    read_once, logits = read(model, ids, mask)
    cache, logits = buffered(read_once, n, new_tokens), logits.repeat_interleave(n, dim=0)  # (R, V), at first of P x n
    rows = torch.arange(len(numbers), device=ids.device)
    positions = mask.sum(dim=1).repeat_interleave(n)
    mask = torch.cat([mask, mask.new_ones(len(ids), new_tokens)], dim=1).repeat_interleave(n, dim=0)
    has_ended = torch.zeros_like(rows, dtype=torch.bool)
    for step in range(new_tokens):
        tokens = _draw(torch.softmax(warp(logits.float()), dim=-1), numbers[rows, step])
        likely = torch.log_softmax(logits.float(), dim=-1).gather(1, tokens[:, None]).squeeze(1)
        going = ~has_ended
        yield rows[going], tokens[going], likely[going]
        has_ended |= torch.isin(tokens, stops)
        if step + 1 == new_tokens or bool(has_ended.all()):
            return
        if 2 * int(has_ended.sum()) >= len(has_ended):  # moving the rest together is a copy, so not for each one
            kept = (~has_ended).nonzero().flatten()
            rows, tokens, positions, mask, has_ended = (
                each[kept] for each in (rows, tokens, positions, mask, has_ended)
            )
            cache.batch_select_indices(kept)
        logits = advance(model, cache, tokens[:, None], mask[:, : ids.shape[1] + step + 1], positions + step)


def _numbers(seed: int, n: int, new_tokens: int, device: torch.device) -> torch.Tensor:
    """The random numbers of one prompt, from 0 up to but not 1: one for each token of each completion (n, new)."""
    return torch.rand(n, new_tokens, generator=torch.Generator(device).manual_seed(seed), device=device)


def _draw(chances: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
    """Tokens (R,) drawn with `chances` (R, V): the first whose chances, summed up to it, exceed its number."""
    sums = chances.cumsum(dim=-1)
    total = sums[:, -1:]
    below = torch.minimum(numbers[:, None] * total, torch.nextafter(total, torch.zeros_like(total)))
    return torch.searchsorted(sums, below, right=True).squeeze(1)
