"""Keys and values for beam search: a prompt is computed once and not copied again while its beams are reordered.

transformers' own cache re-allocates all keys and values twice a step, to append and to reorder: two thirds of the
time of a small model on a CPU. A beam never moves to another prompt, so only what follows the prompt has to move.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import Cache, DynamicCache
from transformers.cache_utils import DynamicLayer


class BeamLayer(DynamicLayer):  # type: ignore[misc]
    """One layer's keys and values in buffers of full length, filled from the left."""

    def __init__(self, keys: torch.Tensor, values: torch.Tensor, beams: int, new_tokens: int) -> None:
        """`keys`, `values` of the prompts: (prompts, heads, tokens, head size)."""
        super().__init__()
        self.dtype, self.device = keys.dtype, keys.device
        self.prompt = self.length = keys.shape[2]
        self._buffers = [_spread(states, beams, self.length + new_tokens) for states in (keys, values)]
        self.is_initialized = True
        self._show()

    def _show(self) -> None:
        # (prompts x beams, heads, length, head size), without a copy
        self.keys, self.values = (buffer[:, :, : self.length] for buffer in self._buffers)

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append states of shape (prompts x beams, heads, tokens, head size); returns all keys and values so far."""
        end = self.length + key_states.shape[2]
        for buffer, states in zip(self._buffers, (key_states, value_states), strict=True):
            buffer[:, :, self.length : end] = states
        self.length = end
        self._show()
        return self.keys, self.values

    def reorder_cache(self, beam_idx: torch.Tensor) -> None:
        """Copy to row i what row beam_idx[i], of the same prompt, has after the prompt."""
        for buffer in self._buffers:
            written = buffer[:, :, self.prompt : self.length]
            written.copy_(written.index_select(0, beam_idx))

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        """Keep these rows and free the others."""
        self._buffers = [buffer.index_select(0, indices) for buffer in self._buffers]
        self._show()


def spread_over_beams(cache: DynamicCache, beams: int, new_tokens: int) -> Cache:
    """The cache of the prompts, each row `beams` times, with room for `new_tokens` more tokens.

    A model with sliding windows or states keeps transformers' own layers, which are slower but give the same result.
    """
    if any(type(layer) is not DynamicLayer for layer in cache.layers):
        cache.batch_repeat_interleave(beams)
        return cache
    return Cache(layers=[BeamLayer(layer.keys, layer.values, beams, new_tokens) for layer in cache.layers])


def _spread(states: torch.Tensor, beams: int, length: int) -> torch.Tensor:
    prompts, heads, tokens, size = states.shape
    buffer = states.new_empty(prompts * beams, heads, length, size)
    buffer[:, :, :tokens] = states.repeat_interleave(beams, dim=0)
    return buffer
