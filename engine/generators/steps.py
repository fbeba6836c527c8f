"""Single forward passes: read the prompts once, then add one token to every completion.

Prompts are padded on the left; positions count real tokens only, so padding does not change the result.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import Cache, DynamicCache


def read(model: Any, ids: torch.Tensor, mask: torch.Tensor) -> tuple[DynamicCache, torch.Tensor]:
    """Compute prompts `ids` (P, tokens); returns their keys and values, and the logits (P, V) after them."""
    cache = DynamicCache(config=model.config)
    output = model(
        input_ids=ids,
        attention_mask=mask,
        position_ids=(mask.cumsum(dim=-1) - 1).clamp(min=0),
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    )
    logits: torch.Tensor = output.logits[:, -1]
    return cache, logits


def advance(
    model: Any, cache: Cache, tokens: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor
) -> torch.Tensor:
    """Logits (P x n, V) after `tokens` (P, n); `mask` is (P, all tokens so far), `positions` (P,) that of `tokens`."""
    n = tokens.shape[1]
    output = model(
        input_ids=tokens.reshape(-1, 1),
        attention_mask=mask.repeat_interleave(n, dim=0),
        position_ids=positions.repeat_interleave(n)[:, None],
        past_key_values=cache,
        use_cache=True,
    )
    logits: torch.Tensor = output.logits[:, -1]
    return logits
