"""Forward passes of beam search: a token is added to every beam of every prompt, and beams are exchanged.

The beams of a prompt differ in a few tokens only. So the prompt is kept once, in one row with the tokens of all its
beams, and a mask says which tokens belong to a beam: exchanging beams changes the mask and moves no keys or values
(the "tree attention" of Miao et al., "SpecInfer", arXiv 2305.09781, for beams).
"""

from __future__ import annotations

from typing import Any, Protocol

import torch
from transformers import Cache, DynamicCache

from engine.generators.buffers import buffered, has_plain_layers
from engine.generators.steps import advance, read


class BeamTokens(Protocol):
    """The tokens that P prompts and their n beams consist of."""

    def exchange(self, source: torch.Tensor) -> None:
        """Beam i of a prompt goes on from what beam source[p, i] has; `source` is (P, n)."""

    def keep(self, rows: torch.Tensor) -> None:
        """Keep these prompts only."""

    def add(self, tokens: torch.Tensor) -> torch.Tensor:
        """Logits (P x n, V) after one more token of every beam, `tokens` (P, n)."""


def start(
    model: Any, ids: torch.Tensor, mask: torch.Tensor, beams: int, new_tokens: int
) -> tuple[BeamTokens, torch.Tensor]:
    """Compute prompts `ids` (P, tokens), padded on the left as `mask` says, and the logits (P, V) after them."""
    cache, logits = read(model, ids, mask)
    kind = Shared if shares_prompts(model) else Copied
    return kind(model, cache, mask, beams, new_tokens), logits


def shares_prompts(model: Any) -> bool:
    """Whether the beams of a prompt can share it: every layer sees all tokens, and takes a mask for each of them."""
    takes_masks = getattr(model.config, "_attn_implementation", "") in ("sdpa", "eager")
    return takes_masks and has_plain_layers(DynamicCache(config=model.config))


class Shared:
    """One row a prompt: its own tokens, then, step by step, one of each beam."""

    def __init__(self, model: Any, cache: Any, mask: torch.Tensor, beams: int, new_tokens: int) -> None:
        self._model, self._beams, self._length = model, beams, mask.shape[1]
        self._cache = buffered(cache, 1, beams * new_tokens)
        self._positions = mask.sum(dim=1)  # (P,) of the next token
        written = mask.new_zeros(len(mask), beams, beams * new_tokens)
        self._seen = torch.cat([mask[:, None].expand(-1, beams, -1), written], dim=2).bool()  # (P, n, all tokens)

    def exchange(self, source: torch.Tensor) -> None:
        self._seen = self._seen.gather(1, source[..., None].expand(-1, -1, self._seen.shape[2]))

    def keep(self, rows: torch.Tensor) -> None:
        self._cache.batch_select_indices(rows)
        self._positions, self._seen = self._positions[rows], self._seen[rows]

    def add(self, tokens: torch.Tensor) -> torch.Tensor:
        n = self._beams
        self._seen[:, range(n), range(self._length, self._length + n)] = True  # every beam sees its own new token
        self._length += n
        seen = self._seen[:, None, :, : self._length]
        hidden = torch.finfo(self._model.dtype).min
        output = self._model(
            input_ids=tokens,
            attention_mask=torch.zeros_like(seen, dtype=self._model.dtype).masked_fill_(~seen, hidden),
            position_ids=self._positions[:, None].expand(-1, n),
            past_key_values=self._cache,
            use_cache=True,
        )
        self._positions = self._positions + 1
        logits: torch.Tensor = output.logits.flatten(0, 1)
        return logits


class Copied:
    """One row a beam, each with the whole prompt: for models with sliding windows or states."""

    def __init__(self, model: Any, cache: Any, mask: torch.Tensor, beams: int, new_tokens: int) -> None:
        self._model, self._beams = model, beams
        self._cache: Cache = cache
        self._cache.batch_repeat_interleave(beams)
        self._positions, self._length = mask.sum(dim=1), mask.shape[1]
        self._mask = torch.cat([mask, mask.new_ones(len(mask), new_tokens)], dim=1)  # (P, all tokens)

    def exchange(self, source: torch.Tensor) -> None:
        self._cache.reorder_cache(self._rows(torch.arange(len(source), device=source.device), source))

    def keep(self, rows: torch.Tensor) -> None:
        every = torch.arange(self._beams, device=rows.device).expand(len(rows), -1)
        self._cache.batch_select_indices(self._rows(rows, every))
        self._positions, self._mask = self._positions[rows], self._mask[rows]

    def add(self, tokens: torch.Tensor) -> torch.Tensor:
        self._length += 1
        logits = advance(self._model, self._cache, tokens, self._mask[:, : self._length], self._positions)
        self._positions = self._positions + 1
        return logits

    def _rows(self, prompts: torch.Tensor, beams: torch.Tensor) -> torch.Tensor:
        return (prompts[:, None] * self._beams + beams).flatten()
